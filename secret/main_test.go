package secret_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain serves as the command of exec: references where the environment says so: an own program behaves the same on
// every system.
func TestMain(m *testing.M) {
	if mode := os.Getenv("SECRET_TEST_HELPER"); mode != "" {
		os.Exit(helper(mode, os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}
