import curses


def menu(screen):
    curses.curs_set(0)
    curses.use_default_colors()
    items = ["coffee", "tea", "water"]
    at = 0
    while True:
        screen.erase()
        screen.addstr(0, 0, "What to drink?")
        for i, item in enumerate(items):
            screen.addstr(i + 1, 2, item, curses.A_REVERSE if i == at else curses.A_NORMAL)
        screen.refresh()
        key = screen.getch()
        if key == curses.KEY_DOWN:
            at = min(at + 1, len(items) - 1)
        elif key == curses.KEY_UP:
            at = max(at - 1, 0)
        elif key in (10, 13):
            return items[at]


print("ordered:", curses.wrapper(menu))
