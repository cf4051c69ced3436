package store_test

const holderEnv = "MUSTER_TEST_STORE_HOLDER"

func holdLock(string) int { return 0 }
