import { test, expect } from "@microsoft/tui-test";

test.use({ program: { file: "bash", args: ["--norc", "--noprofile"] }, env: { PS1: "$ " } });

test("a line is run, found again with the arrow key, and interrupted", async ({ terminal }) => {
  await expect(terminal.getByText("$ ")).toBeVisible();
  terminal.submit("echo $((6*7))");
  await expect(terminal.getByText(/\b42\b/g)).toBeVisible();
  terminal.keyUp();
  terminal.submit();
  await expect(terminal.getByText(/\b42\b[^]*\b42\b/g, { full: true })).toBeVisible();
  terminal.submit("sh -c 'echo go; exec sleep 1000'");
  await expect(terminal.getByText(/1000' +go/g)).toBeVisible();
  terminal.keyCtrlC();
  await expect(terminal.getByText(/\^C +\$ /g)).toBeVisible();
  const exit = new Promise((resolve) => terminal.onExit(resolve));
  terminal.submit("exit 3");
  expect(await exit).toMatchObject({ exitCode: 3 });
});
