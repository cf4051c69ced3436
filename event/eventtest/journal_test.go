package eventtest_test

import (
	"testing"

	"github.com/musternet/muster/event"
	"github.com/musternet/muster/event/eventtest"
)

func TestJournalInMemory(t *testing.T) {
	t.Parallel()
	eventtest.RunJournal(t, func(*testing.T) event.Journal { return new(eventtest.Journal) })
}
