@test "a line is run, found again with the arrow key, and interrupted" {
  export PS1='$ '
  run expect -c '
    set timeout 30
    proc fail {why} { puts "\nFAIL: $why"; exit 99 }
    spawn -noecho bash --norc --noprofile
    expect_after timeout { fail timeout } eof { fail eof }
    expect "$ "
    send "echo \$((6*7))\r"
    expect "42"
    expect "$ "
    send "\x1b\[A\r"
    expect "42"
    expect "$ "
    send "sh -c \"echo go; exec sleep 1000\"\r"
    expect -re "go\r?\n"
    send "\x03"
    expect "$ "
    send "exit 3\r"
    expect_after
    expect eof
    lassign [wait] pid spawnid oserr status
    exit $status'
  [ "$status" -eq 3 ]
}
