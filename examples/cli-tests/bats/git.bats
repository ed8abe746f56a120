setup() {
  cd "$BATS_TEST_TMPDIR"
  export HOME=$BATS_TEST_TMPDIR
}

@test "of two changes one is staged" {
  printf '%s\n' first 2 last >a.txt
  git init -q
  git add a.txt
  printf '%s\n' FIRST 2 LAST >a.txt
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
  run git show :a.txt
  [ "$output" = $'FIRST\n2\nlast' ]
}
