package monitor

import "time"

// SetWall puts another clock on the wall.
func (m *Monitor) SetWall(now func() time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fleet.wall = now
}
