# Answers until there are no more questions.
{
	print "Child got: [" $0 "]"
	if (flush)
		fflush()
}
