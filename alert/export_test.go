package alert

import "time"

// JumpWall sets the clock on the wall forward, or back.
func (e *Engine) JumpWall(by time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	was := e.clock.wall
	e.clock.wall = func() time.Time { return was().Add(by) }
}
