import { test, expect } from "@microsoft/tui-test";

test.use({ program: { file: "sqlite3", args: ["-batch", "-interactive"] } });

test("a table is made in two lines, a mistake is told, and the rows come", async ({ terminal }) => {
  await expect(terminal.getByText("sqlite> ")).toBeVisible();
  terminal.submit("create table t(");
  await expect(terminal.getByText("...> ")).toBeVisible();
  terminal.submit("n int);");
  terminal.submit("insert into t valves (1);");
  await expect(terminal.getByText(/near .valves.: syntax error/g, { full: true })).toBeVisible();
  const exit = new Promise((resolve) => terminal.onExit(resolve));
  terminal.submit("insert into t values (42); select n+1 from t;");
  await expect(terminal.getByText("43")).toBeVisible();
  terminal.submit(".quit");
  expect(await exit).toMatchObject({ exitCode: 1 });
});
