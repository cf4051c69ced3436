//go:build !race

package ping_test

const raceEnabled = false
