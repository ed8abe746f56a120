# Asks two questions and tells what was answered. With -v flush=1 each question leaves at once.
BEGIN {
	for (i = 1; i <= 2; i++) {
		print "Hello " i " from parent"
		if (flush)
			fflush()
		if ((getline reply) <= 0)
			exit 1
		print "Parent got: [" reply "]" >"/dev/stderr"
	}
}
