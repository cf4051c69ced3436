package ping

import (
	"math"
	"time"
)

// Stats accounts for a Steady. Sent is the replies in time, Lost, and what is under way or was so when its target was
// removed; Received is the replies in time, Late, Duplicates and Stale.
type Stats struct {
	// Targets is how many the plan has.
	Targets int `json:"targets"`
	// Sent counts requests that the kernel took and SendErrors those that it refused.
	Sent       int `json:"sent"`
	SendErrors int `json:"send_errors"`
	// Skipped counts requests that were not made because their time was long over: the loop body had taken too long, the
	// machine was suspended or has more to do than it can.
	Skipped int `json:"skipped"`
	// Received counts genuine replies. Late are those of them that came after their request had been reported as lost,
	// Duplicates those to a request that had its reply, and Stale those to a target that is no longer in the plan or to a
	// request that is further back than the last 64 of its target.
	Received   int `json:"received"`
	Late       int `json:"late"`
	Duplicates int `json:"duplicates"`
	Stale      int `json:"stale"`
	// Lost counts requests without a reply in time.
	Lost int `json:"lost"`
	// Foreign counts what looked like a reply but had the wrong cookie or came from the wrong address.
	Foreign int `json:"foreign"`
	// Unreachable counts messages about targets that cannot be reached.
	Unreachable int `json:"unreachable"`
	// ReceiveDrops is how many packets the kernel threw away because the receive buffer was full.
	ReceiveDrops int `json:"receive_drops"`
	// Buffer is the receive buffer that the kernel granted, in bytes.
	Buffer int `json:"buffer"`
	// Method is how the requests are sent.
	Method Method `json:"method"`
	// Jitter is how much later than planned the requests were sent.
	Jitter Jitter `json:"jitter"`
}

// JitterBounds are the upper ends of the Buckets of a Jitter but the last, which has none.
var JitterBounds = [...]time.Duration{
	100 * time.Microsecond, 200 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
}

// Jitter is a histogram of delays.
type Jitter struct {
	Count   int                        `json:"count"`
	Sum     time.Duration              `json:"sum"`
	Max     time.Duration              `json:"max"`
	Buckets [len(JitterBounds) + 1]int `json:"buckets"` // each counts what is above the bound before it, up to its own
}

func (j *Jitter) add(d time.Duration) {
	j.Count++
	j.Sum += d
	j.Max = max(j.Max, d)
	i := 0
	for i < len(JitterBounds) && d > JitterBounds[i] {
		i++
	}
	j.Buckets[i]++
}

// Mean is the average delay.
func (j Jitter) Mean() time.Duration {
	if j.Count == 0 {
		return 0
	}
	return j.Sum / time.Duration(j.Count)
}

// Within is a bound that a share q of the delays, from 0 to 1, does not exceed.
func (j Jitter) Within(q float64) time.Duration {
	left := max(1, int(math.Ceil(q*float64(j.Count))))
	for i, bound := range JitterBounds {
		if left -= j.Buckets[i]; left <= 0 {
			return min(bound, j.Max)
		}
	}
	return j.Max
}
