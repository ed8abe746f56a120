setup() {
  cd "$BATS_TEST_TMPDIR"
  export HOME=$BATS_TEST_TMPDIR
}

@test "of two changes one is staged" {
  printf '%s\n' first 2 3 4 last >a.txt
  git init -q
  git add a.txt
  git -c user.name=a -c user.email=a@b commit -qm first
  printf '%s\n' FIRST 2 3 4 LAST >a.txt
  run expect -c '
    set timeout 30
    proc fail {why} { puts "\nFAIL: $why"; exit 99 }
    spawn -noecho git add -p
    expect_after timeout { fail timeout } eof { fail eof }
    expect -ex {Stage this hunk [y,n}
    send "s\r"
    expect -ex {Stage this hunk [y,n}
    send "y\r"
    expect -ex {Stage this hunk [y,n}
    send "n\r"
    expect_after
    expect eof
    lassign [wait] pid spawnid oserr status
    exit $status'
  [ "$status" -eq 0 ]
  run git diff --cached --numstat
  [ "$output" = $'1\t1\ta.txt' ]
  run git diff
  [[ $'\n'$output$'\n' == *$'\n+LAST\n'* ]]
  [[ $'\n'$output$'\n' != *$'\n+FIRST\n'* ]]
}
