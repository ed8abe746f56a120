import { test, expect, Key } from "@microsoft/tui-test";

test.use({ program: { file: "python3", args: ["../menu.py"] }, rows: 5, columns: 30 });

test("the second item is chosen with the arrow key, and marked before it is", async ({ terminal }) => {
  await expect(terminal.getByText("water")).toBeVisible();
  const exit = new Promise((resolve) => terminal.onExit(resolve));
  terminal.write("\x1bOB"); // keyDown is another key than the one that curses asked for
  await new Promise((resolve) => setTimeout(resolve, 500)); // nothing waits for a style
  await expect(terminal).toMatchSnapshot({ includeColors: true });
  terminal.submit();
  expect(await exit).toMatchObject({ exitCode: 0 });
  await expect(terminal.getByText("ordered: tea")).toBeVisible();
});
