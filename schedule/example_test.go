package schedule_test

import (
	"fmt"
	"time"

	"github.com/musternet/muster/schedule"
)

func Example() {
	plan, err := schedule.Parse("15 2 * * mon-fri")
	if err != nil {
		fmt.Println(err)
		return
	}
	plan.Zone = time.UTC
	friday := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	fmt.Println(plan.Next("backup/core", friday).Format(time.RFC1123))
	// Output: Mon, 23 Nov 2026 02:15:00 UTC
}
