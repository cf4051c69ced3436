package syslog_test

import (
	"testing"
	"time"

	"github.com/musternet/muster/syslog"
)

func TestAYearThatIsNotToldIsTheLastThatIsNotInTheFuture(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ received, stamp, want string }{
		{"2026-01-01T00:00:05Z", "Dec 31 23:59:59", "2025-12-31T23:59:59Z"},
		{"2025-12-31T23:59:55Z", "Jan  1 00:00:01", "2026-01-01T00:00:01Z"},
		{"2026-06-30T12:00:00Z", "Jan  1 00:00:00", "2026-01-01T00:00:00Z"},
		{"2026-07-10T12:00:00Z", "Jan  1 00:00:00", "2026-01-01T00:00:00Z"},
		{"2026-11-29T12:00:00Z", "Mar  1 18:46:11", "2026-03-01T18:46:11Z"},
		{"2026-07-10T12:00:00Z", "Aug  9 00:00:00", "2026-08-09T00:00:00Z"},
		{"2026-07-10T12:00:00Z", "Aug 11 00:00:00", "2025-08-11T00:00:00Z"},
		{"2026-01-15T12:00:00Z", "Aug  1 00:00:00", "2025-08-01T00:00:00Z"},
		{"2024-02-29T00:00:00Z", "Feb 29 00:00:00", "2024-02-29T00:00:00Z"},
		{"2025-03-01T00:00:00Z", "Feb 29 00:00:00", "2024-02-29T00:00:00Z"},
		{"2027-03-01T00:00:00Z", "Feb 29 00:00:00", "2024-02-29T00:00:00Z"},
		{"2099-12-31T00:00:00Z", "Feb 29 00:00:00", "2096-02-29T00:00:00Z"},
		{"2100-03-01T00:00:00Z", "Feb 29 00:00:00", "2096-02-29T00:00:00Z"},
		{"1969-12-31T23:59:59Z", "Jan  1 00:00:00", "1970-01-01T00:00:00Z"},
	} {
		if got := parsed(t, nil, c.received, "<13>"+c.stamp+" host app: text"); got.Format(time.RFC3339) != c.want {
			t.Errorf("%s received %s: got %s, want %s", c.stamp, c.received, got, c.want)
		}
	}
}

func TestAClockWithoutAZoneIsReadInThatOfTheParser(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	for _, c := range []struct{ received, message, want string }{
		{"2026-07-01T12:00:00Z", "<13>Jul  1 14:00:00 host app: text", "2026-07-01T12:00:00Z"},
		{"2026-01-01T12:00:00Z", "<13>Jan  1 13:00:00.5 host app: text", "2026-01-01T12:00:00.5Z"},
		{"2025-12-31T23:30:00Z", "<13>Jan  1 00:30:00 host app: text", "2025-12-31T23:30:00Z"},
		{"2026-07-01T12:00:00Z", "<13>2026-07-01T14:00:00 host app: text", "2026-07-01T12:00:00Z"},
		{"2026-07-01T12:00:00Z", "<13>2026-07-01T12:00:00Z host app: text", "2026-07-01T12:00:00Z"},
		{"2026-07-01T12:00:00Z", "<189>1: Jul  1 12:00:00 UTC: %SYS-5-CONFIG_I: text", "2026-07-01T12:00:00Z"},
		{"2026-07-01T12:00:00Z", "<189>1: Jul  1 14:00:00 XYZ: %SYS-5-CONFIG_I: text", "2026-07-01T12:00:00Z"},
		{"2028-02-29T12:00:00Z", "<13>Feb 29 13:00:00 host app: text", "2028-02-29T12:00:00Z"},
	} {
		if got := parsed(t, berlin, c.received, c.message); got.Format(time.RFC3339Nano) != c.want || got.Location() != time.UTC {
			t.Errorf("%s: got %s, want %s", c.message, got, c.want)
		}
	}
}

// A name of a zone counts if the time zone database has no other offset for it.
func TestNamesOfZonesMeanWhatTheyMeanInTheirCountries(t *testing.T) {
	t.Parallel()
	const winter, summer = "Jan 15 2026 12:00:00 ", "Jul 15 2026 12:00:00 "
	for _, c := range []struct{ zone, stamp, place string }{
		{"CET", winter, "Europe/Berlin"}, {"CEST", summer, "Europe/Berlin"}, {"EET", winter, "Europe/Helsinki"}, {"EEST", summer, "Europe/Helsinki"},
		{"WET", winter, "Europe/Lisbon"}, {"WEST", summer, "Europe/Lisbon"}, {"GMT", winter, "Europe/London"}, {"MSK", winter, "Europe/Moscow"},
		{"EST", winter, "America/New_York"}, {"EDT", summer, "America/New_York"}, {"MST", winter, "America/Denver"}, {"MDT", summer, "America/Denver"},
		{"PDT", summer, "America/Los_Angeles"}, {"AKST", winter, "America/Anchorage"}, {"AKDT", summer, "America/Anchorage"},
		{"HST", winter, "Pacific/Honolulu"}, {"NST", winter, "America/St_Johns"}, {"NDT", summer, "America/St_Johns"},
		{"IDT", summer, "Asia/Jerusalem"}, {"PKT", winter, "Asia/Karachi"}, {"WIB", winter, "Asia/Jakarta"}, {"WITA", winter, "Asia/Makassar"},
		{"WIT", winter, "Asia/Jayapura"}, {"HKT", winter, "Asia/Hong_Kong"}, {"JST", winter, "Asia/Tokyo"}, {"KST", winter, "Asia/Seoul"},
		{"AWST", winter, "Australia/Perth"}, {"ACST", summer, "Australia/Adelaide"}, {"ACDT", winter, "Australia/Adelaide"},
		{"AEST", summer, "Australia/Sydney"}, {"AEDT", winter, "Australia/Sydney"}, {"NZST", summer, "Pacific/Auckland"}, {"NZDT", winter, "Pacific/Auckland"},
		{"SAST", winter, "Africa/Johannesburg"}, {"CAT", winter, "Africa/Maputo"}, {"EAT", winter, "Africa/Nairobi"}, {"WAT", winter, "Africa/Lagos"},
	} {
		place, err := time.LoadLocation(c.place)
		if err != nil {
			t.Skip(err)
		}
		want, err := time.ParseInLocation("Jan 2 2006 15:04:05 ", c.stamp, place)
		if err != nil {
			t.Fatal(err)
		}
		if name, _ := want.Zone(); name != c.zone {
			t.Errorf("%s: the database calls it %s in %s", c.zone, name, c.place)
		}
		m := syslog.Parse([]byte("<189>1: " + c.stamp + c.zone + ": %SYS-5-CONFIG_I: text"))
		if !m.Time.Equal(want) || !m.Quality.Zone {
			t.Errorf("%s: got %s, want %s", c.zone, m.Time, want.UTC())
		}
	}
	for _, zone := range []string{"CST", "CDT", "IST", "BST", "AST", "PST", "SST", "GST", "XYZ", "OURS"} {
		m := syslog.Parse([]byte("<189>1: " + winter + zone + ": %SYS-5-CONFIG_I: text"))
		if m.Quality.Zone || !m.Quality.Known || string(m.Mnemonic) != "SYS-5-CONFIG_I" {
			t.Errorf("%s: %s, %s", zone, m.Quality, m.Mnemonic)
		}
	}
}

func TestOffsetsAreReadInAllTheirForms(t *testing.T) {
	t.Parallel()
	for zone, want := range map[string]string{
		"Z": "12:00", "+02:00": "10:00", "-07:00": "19:00", "+0530": "06:30", "+02": "10:00", " +02:00": "10:00", " UTC+07:30": "04:30", " GMT-3": "15:00",
		" UTC": "12:00",
	} {
		got := parsed(t, time.FixedZone("", 12345), "2026-03-01T00:00:00Z", "<189>1: Mar  1 2026 12:00:00"+zone+": %SYS-5-CONFIG_I: text")
		if got.Format("15:04") != want {
			t.Errorf("%q: got %s, want %s", zone, got, want)
		}
	}
}

func TestTheCalendarIsThatOfTheStandardLibrary(t *testing.T) {
	t.Parallel()
	for day := time.Date(1896, 1, 1, 23, 59, 59, 0, time.UTC); day.Year() < 2108; day = day.AddDate(0, 0, 13) {
		if got := parsed(t, nil, "2026-03-01T00:00:00Z", "<13>"+day.Format(time.RFC3339)+" host app: text"); !got.Equal(day) {
			t.Fatalf("got %s, want %s", got, day)
		}
	}
}

func parsed(t *testing.T, location *time.Location, received, message string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, received)
	if err != nil {
		t.Fatal(err)
	}
	p := syslog.Parser{Location: location}
	return p.Parse([]byte(message), at).Time
}
