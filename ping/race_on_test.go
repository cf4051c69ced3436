//go:build race

package ping_test

const raceEnabled = true
