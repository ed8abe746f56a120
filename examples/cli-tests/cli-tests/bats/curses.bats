setup() {
  cd "$BATS_TEST_TMPDIR"
  session=menu-$$-$BATS_TEST_NUMBER
}

teardown() {
  tmux -L "$session" kill-server 2>/dev/null || true
}

shows() { # wait until the screen, with its styles, is as it should be
  local i
  for i in $(seq 100); do
    screen=$(tmux -L "$session" capture-pane -p -e)
    [ "$screen" = "$1" ] && return
    sleep 0.1
  done
  echo "wanted: $1"
  echo "shown: $screen"
  return 1
}

@test "the second item is chosen with the arrow key, and marked before it is" {
  tmux -L "$session" -f /dev/null new -d -x 30 -y 5 "python3 $BATS_TEST_DIRNAME/../menu.py; echo status \$?; read x" \; set status off
  shows $'What to drink?\n  \e[7mcoffee\n\e[0m\e[39m\e[49m  tea\n  water'
  tmux -L "$session" send-keys Down
  shows $'What to drink?\n  coffee\n  \e[7mtea\n\e[0m\e[39m\e[49m  water'
  tmux -L "$session" send-keys Enter
  shows $'ordered: tea\nstatus 0'
}
