package when_test

import (
	"regexp"
	"strings"
	"testing"

	"keepwatch"
	"keepwatch/engine/when"
)

// quoted gives what a refusal says can be written: what stands in quotes after "write"
// or "example".
func quoted(sentence string) []string {
	i := regexp.MustCompile(`\b(write|example)\b`).FindStringIndex(sentence)
	if i == nil {
		return nil
	}
	var out []string
	for _, m := range regexp.MustCompile(`"([^"]+)"`).FindAllStringSubmatch(sentence[i[0]:], -1) {
		out = append(out, m[1])
	}
	return out
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"", "When?"},
		{"   ", "When?"},
		{strings.Repeat("every ", 60), "more than 200"},
		// Words that are not understood are named.
		{"soon", `"soon"`},
		{"whenever you like", `"whenever"`},
		{"evry weekday at 9", `"every"`},
		{"every mnoday", `"Monday"`},
		{"every Wendesday at 9", `"wendesday"`},
		{"every decemver", `"December"`},
		{"every weekday at 9 UTC", "time zone"},
		{"every weekday at 9 Europe/Paris", "time zone"},
		{"every day except Sunday", `"except"`},
		{"jeden Montag um 9", `"jeden"`},
		{"after lunch", `"lunch"`},
		{"every 1.5 hours", `whole numbers`},
		{"every x hours", `"x"`},
		// Words without a time of day in them.
		{"tonight", "no time of day"},
		{"tomorrow morning", "no time of day"},
		{"every evening", "no time of day"},
		{"this afternoon at 3", "no time of day"},
		{"today", "Today, but when"},
		{"weekly", "day of the week"},
		{"every week at 9", "day of the week"},
		{"monthly", "day of the month"},
		{"every month at 9", "day of the month"},
		{"yearly", "day of the year"},
		{"yearly on the first Monday", "Of which month"},
		{"December at 9", "Which day of December"},
		{"next month", "On which day"},
		{"this week", "On which day"},
		{"last of the month", "The last what"},
		// What can be read two ways.
		{"03/04", "two ways"},
		{"12/11/2026", "two ways: as 12 November 2026, which has passed, or as 11 December 2026"},
		{"on 3.4.2027 at 9", "two ways"},
		{"03-04-2027", "two ways"},
		{"3/4/27", "several ways"},
		{"daily 9.30", "time or a date"},
		{"next weekend", "two ways"},
		{"Monday week", "two ways"},
		{"on Friday week at 9", "two ways"},
		{"next Friday", "two ways"}, // said on a Tuesday
		{"next week", "two ways"},
		{"on Tuesday at 11", "two ways"}, // said on a Tuesday at 10:30
		{"Monday at 9", "two ways"},
		{"Monday and Thursday at 9", "Every week, or once"},
		{"this Monday", "two ways"},
		{"every weekend at 10", "two ways"},
		{"weekends", "two ways"},
		{"on the 15th at 8", "two ways"},
		{"the first Monday at 10", "once or every month"},
		{"first Monday of December", "once or every year"},
		{"1st and 15th of December", "once or every year"},
		{"every 3 days", "two ways"},
		{"every other day at 8", "two ways"},
		{"every second day", "two ways"},
		{"every 3 months", "two ways"},
		{"every 6 months at 8", "two ways"},
		{"every second Monday", "two ways"},
		{"every 3rd Friday", "two ways"},
		{"every 3 December 2027", "two ways"},
		{"2 hours", "once or again"},
		{"90min", "once or again"},
		{"today at midnight", "Midnight"},
		{"tomorrow at midnight", "two ways"},
		{"on 3 December at midnight", "two ways"},
		{"every Friday at midnight", "Midnight"},
		{"weekdays at midnight", "Midnight"},
		// What cannot be said.
		{"every 2 weeks", "Weeks cannot be counted"},
		{"fortnightly", "Weeks cannot be counted"},
		{"every other Monday", "Every second Monday"},
		{"every 5 months", "calendar"},
		{"every 2 years", "calendar"},
		{"every 20 days", "calendar"},
		{"first working day of the month", "Working days"},
		{"last weekday of the month", "Working days"},
		{"first week of the month", "Weeks of a month"},
		{"15th of the quarter", "quarter"},
		{"daily at 9:00 and 17:30", "same minutes"},
		{"yearly on 1 January and 3 July", "together"},
		{"every 2 hours at 9", "several times a day"},
		{"hourly at 9:15", "several times a day"},
		{"every 30 seconds", "once a minute"},
		{"every 0 minutes", "once a minute"},
		{"every 9999 hours", "366 days"},
		{"in 30 seconds", "at least a minute"},
		{"in 0 days", "at least a minute"},
		{"in 999999 weeks", "100 years"},
		{"in 2 hours at 9", "no time of day beside"},
		{"1 Jan 2190", "100 years"},
		{"tomorrow at 9 and 17", "One moment"},
		{"at 9 every Monday at 10", "two places"},
		// What has passed, and what never comes.
		{"today at 9", "has passed"},
		{"yesterday", "has passed"},
		{"now", "Now"},
		{"24 November at 9", "has passed"},
		{"24 November 2026 at 10:30", "has passed"},
		{"2020-01-01", "has passed"},
		{"2026-11-24T10:29:59Z", "has passed"},
		{"30 February", "no day 30"},
		{"29 February 2027", "no day 29"},
		{"31 November at 9", "November has no day 31, so that date never comes; its last day is the 30th. Write for example"},
		{"yearly on 31 April", "no day 31"},
		{"2026-13-01", "no month 13"},
		{"31/31/2027", "no month 31"},
		{"0 December", "no day 0"},
		{"monthly on the 32nd", "No month has"},
		{"sixth Monday of the month", `"sixth"`},
		{"6th Monday of the month", "at most five"},
		{"on Friday 3 December 2026", "is a Thursday"},
		// Times of day that there are not.
		{"every day at 25", "no time of day"},
		{"every day at 24:00", "no time of day"},
		{"daily 9:60", "no time of day"},
		{"daily 13pm", "not understood"},
		{"daily at 0 am", "no time of day"},
		{"daily at 1400", "no time of day"},
		{"2026-12-03T25:00", "no time of day"},
		{"every day at", "After \"at\""},
		{"at Monday", "After \"at\""},
		// Words in the wrong place, or too few.
		{"every", "too early"},
		{"in", "too early"},
		{"on", "too early"},
		{"daily 9", "time or a day"},
		{"tomorrow 9", "time or a day"},
		{"every of", "does not fit"},
		{"Monday of every", "does not fit"},
		{"weekdays Mondays", "does not fit"},
		{"every day every day", "does not fit"},
		{"monthly on the 3rd of December", "every month and which"},
		{"3 Dec 26", "year or a time"},
		// Cron.
		{"0 9 * *", "five fields"},
		{"0 0 9 * * *", "five fields"},
		{"* * * * * *", "five fields"},
		{"0 9 1 1", "five fields"},
		{"60 * * * *", "minute"},
		{"0 24 * * *", "hour"},
		{"0 9 0 * *", "day of month"},
		{"0 9 32 * *", "day of month"},
		{"0 9 * 13 *", "month"},
		{"0 9 * * 8", "day of week"},
		{"0 9 * * -1", "day of week"},
		{"+5 9 * * *", "minute"},
		{"*/100 * * * *", "step"},
		{"*/60 * * * *", "step"},
		{"0 */24 * * *", "step"},
		{"0 9 * */12 *", "step"},
		{"10-20/30 * * * *", "step"},
		{"*/0 * * * *", "minute"},
		{"1,,2 * * * *", "minute"},
		{", * * * *", "minute"},
		{"0 17-9 * * *", "before it begins"},
		{"0 9 15W * *", "day of month"},
		{"0 9 LW * *", "day of month"},
		{"0 9 * * 5L", "day of week"},
		{"0 9 * * MON#6", "no day of a month"},
		{"0 9 * * MON-FRI#1", "no day of a month"},
		{"0 9 * L *", "month"},
		{"1-2-3 * * * *", "minute"},
		{"1/2/3 * * * *", "minute"},
		{"99999999999999999999 * * * *", "minute"},
		{"0 0 30 2 *", "never come due"},
		{"0 0 31 2,4,6,9,11 *", "never come due"},
		{"TZ=", "zone"},
		{"TZ=0", "zone"},
		{"CRON_TZ=UTC", "zone"},
		{"TZ=UTC 0 9 * * *", "zone"},
		{"CRON_TZ=Asia/Tokyo 0 9 * * *", "zone"},
		{"@every 30s", "once a minute"},
		{"@every", "After @every"},
		{"@every soon", "After @every"},
		{"@every -1h", "once a minute"},
		{"@every 9000h", "366 days"},
		{"@reboot", "@reboot"},
		{"@daily at 9", "@daily at 9"},
	} {
		t.Run(c.text, func(t *testing.T) {
			times := when.New()
			got, err := times.Parse(c.text, zone(t, "Europe/London"), now())
			if err == nil {
				t.Fatalf("was taken as %+v", got)
			}
			if keepwatch.KindOf(err) != keepwatch.KindInvalid {
				t.Errorf("is an error of kind %v: %v", keepwatch.KindOf(err), err)
			}
			sentence := keepwatch.Sentence(err)
			if !strings.Contains(sentence, c.says) {
				t.Errorf("is refused with %q; want it to say %q", sentence, c.says)
			}
			examples := quoted(sentence)
			if len(examples) == 0 {
				t.Errorf("is refused without an example: %q", sentence)
			}
			for _, e := range examples {
				if _, err := times.Parse(e, zone(t, "Europe/London"), now()); err != nil {
					t.Errorf("is refused with an example that is refused too: %q\n%q: %v", sentence, e, err)
				}
			}
			if testing.Verbose() {
				t.Log(sentence)
			}
		})
	}
}
