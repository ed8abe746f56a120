# The workloads as Expect does them: expect_peer.tcl WORKLOAD ARG...
log_user 0
set timeout 600
set prompt "prompt> "

proc field {name} {
	set f [open /proc/self/status]
	set text [read $f]
	close $f
	if {[regexp "$name:\\s+(\\d+)" $text all value]} { return $value }
	return 0
}

proc report {seconds units} {
	puts [format "seconds %.9f\nunits %.0f\npeak_kib %.0f" $seconds $units [field VmHWM]]
}

proc now {} { expr {[clock microseconds] / 1e6} }

proc report_latency {took} {
	set took [lsort -real $took]
	set count [llength $took]
	puts [format "p50_us %.1f\np99_us %.1f" [expr {[lindex $took [expr {$count / 2}]] * 1e6}] \
		[expr {[lindex $took [expr {$count * 99 / 100}]] * 1e6}]]
}

# start spawns a program; on pipes Tcl opens it and Expect takes the channel over.
proc start {stdio cmd} {
	global spawn_id
	if {$stdio eq "pipe"} {
		set channel [open "|$cmd" r+]
		fconfigure $channel -buffering none -translation binary
		spawn -noecho -open $channel
	} else {
		spawn -noecho {*}$cmd
	}
	return $spawn_id
}

proc spawn_ {n width} {
	set begin [now]
	set i 0
	while {$i < $n} {
		set live {}
		for {set j 0} {$j < $width && $i < $n} {incr j; incr i} {
			spawn -noecho /bin/true
			lappend live $spawn_id
		}
		while {[llength $live] > 0} {
			expect -i $live eof
			set ended $expect_out(spawn_id)
			set live [lsearch -all -inline -not -exact $live $ended]
			wait -i $ended
		}
	}
	report [expr {[now] - $begin}] $n
}

proc pingpong {stdio n} {
	global stty_init
	set stty_init -echo
	set spawn_id [start $stdio cat]
	set end [expr {$stdio eq "pty" ? "\r\n" : "\n"}]
	for {set i -100} {$i < $n} {incr i} {
		if {$i == 0} { set begin [now]; set last $begin }
		set line [format "ping %06d" [expr {max($i, 0)}]]
		send -- "$line\n"
		expect -ex "$line$end" {} eof { error "end" }
		if {$i >= 0} {
			set t [now]
			lappend took [expr {$t - $last}]
			set last $t
		}
	}
	report [expr {$last - $begin}] $n
	report_latency $took
	if {$stdio eq "pty"} { close; wait }
}

proc find {stdio want args} {
	set cut [lsearch -exact $args for]
	set cmd [lrange $args 0 $cut-1]
	set cases {}
	foreach p [lrange $args $cut+1 end] {
		set text [string range $p 1 end]
		if {[string index $p 0] ne "r"} {
			lappend cases -ex $text { set got match }
		} elseif {[regexp {^\(\?i\)(.*)} $text all text]} {
			lappend cases -nocase -re $text { set got match }
		} else {
			lappend cases -re $text { set got match }
		}
	}
	lappend cases eof { set got end }
	set begin [now]
	set spawn_id [start $stdio $cmd]
	expect {*}$cases
	if {($got eq "end") != ($want eq "absent")} { error "got $got" }
	report [expr {[now] - $begin}] [lindex $cmd 2]
}

proc sessions {n exchanges} {
	global stty_init
	set stty_init -echo
	set before [field VmRSS]
	set all {}
	for {set i 0} {$i < $n} {incr i} {
		spawn -noecho cat
		lappend all $spawn_id
	}
	set took {}
	set begin [now]
	for {set j 0} {$j < $exchanges} {incr j} {
		set line [format "ping %06d" $j]
		foreach id $all {
			set sent($id) [now]
			send -i $id -- "$line\n"
		}
		foreach id $all {
			expect -i $id -ex "$line\r\n" {} eof { error "end" }
			lappend took [expr {[now] - $sent($id)}]
		}
	}
	set total [expr {[now] - $begin}]
	puts [format "kib_each %.2f\nthreads %d" [expr {([field VmRSS] - $before) / double($n)}] [field Threads]]
	report $total [expr {$n * $exchanges}]
	report_latency $took
}

proc dialog {n} {
	global env prompt
	set env(PS1) $prompt
	set env(TERM) dumb
	set begin [now]
	spawn -noecho bash --norc --noprofile
	expect -ex $prompt
	for {set i 0} {$i < $n} {incr i} {
		send -- "echo answer \$(($i * 7))\r"
		expect -ex "answer [expr {$i * 7}]\r\n$prompt" {} eof { error "end" }
	}
	send "exit\r"
	expect eof
	wait
	report [expr {[now] - $begin}] $n
}

set work [lindex $argv 0]
if {$work eq "spawn"} { set work spawn_ }
$work {*}[lrange $argv 1 end]
