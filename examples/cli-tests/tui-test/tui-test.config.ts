import { defineConfig } from "@microsoft/tui-test";

export default defineConfig({ workers: 5, timeout: 90000, expect: { timeout: 60000 }, retries: 2 }); // on a busy machine
