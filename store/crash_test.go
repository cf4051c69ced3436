package store_test

const (
	writerEnv = "MUSTER_TEST_STORE_WRITER"
	holderEnv = "MUSTER_TEST_STORE_HOLDER"
)

func writeUntilKilled(string) int { return 0 }
func holdLock(string) int         { return 0 }
