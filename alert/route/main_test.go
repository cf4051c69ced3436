package route_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the process that is killed by TestKilled.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ROUTE_TEST_CHILD"); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}
