package logwatch

// RequiredLiterals is requiredLiterals, for tests of what it finds: what it does not find only costs time.
func RequiredLiterals(source string) []string { return requiredLiterals(source) }
