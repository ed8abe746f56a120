@test "a table is made in two lines, a mistake is told, and the rows come" {
  run expect -c '
    set timeout 30
    proc fail {why} { puts "\nFAIL: $why"; exit 99 }
    spawn -noecho sqlite3 -batch -interactive
    expect_after timeout { fail timeout } eof { fail eof }
    expect "sqlite> "
    send "create table t(\r"
    expect "...> "
    send "n int);\r"
    expect "sqlite> "
    send "insert into t valves (1);\r"
    expect -re "near .valves.: syntax error"
    expect "sqlite> "
    send "insert into t values (42); select n+1 from t;\r"
    expect "43"
    send ".quit\r"
    expect_after
    expect eof
    lassign [wait] pid spawnid oserr status
    exit $status'
  [ "$status" -eq 1 ]
}
