setup() {
  cd "$BATS_TEST_TMPDIR"
  session=vim-$$-$BATS_TEST_NUMBER
}

teardown() {
  tmux -L "$session" kill-server 2>/dev/null || true
}

shows() { # wait until the screen is as it should be
  local i
  for i in $(seq 100); do
    screen=$(tmux -L "$session" capture-pane -p)
    cursor=$(tmux -L "$session" display -p '#{cursor_y},#{cursor_x}')
    [ "$screen@$cursor" = "$1" ] && return
    sleep 0.1
  done
  echo "wanted: $1"
  echo "shown: $screen@$cursor"
  return 1
}

@test "a word is typed, shown, and saved" {
  : >a.txt
  tmux -L "$session" -f /dev/null new -d -x 30 -y 5 'vim -N -u NONE -i NONE -n a.txt; echo $? >status' \; set status off
  tmux -L "$session" send-keys i hello
  shows $'hello\n~\n~\n~\n-- INSERT --@0,5'
  tmux -L "$session" send-keys Escape :x Enter
  for i in $(seq 100); do [ -s status ] && break; sleep 0.1; done
  [ "$(cat status)" = 0 ]
  [ "$(cat a.txt)" = hello ]
}
