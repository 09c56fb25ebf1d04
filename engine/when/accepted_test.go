package when_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"keepwatch"
	"keepwatch/engine/when"
)

// times is what the parts that use this package declare.
type times interface {
	Parse(text string, zone *time.Location, now time.Time) (keepwatch.When, error)
	Moment(text string, zone *time.Location, now time.Time) (time.Time, error)
	Next(when keepwatch.When, after time.Time, wall string) (keepwatch.Due, bool)
}

var _ times = when.New()

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// now is a Tuesday: 24 November 2026, 10:30 in London.
func now() time.Time { return time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC) }

func TestPhrasesThatComeAgain(t *testing.T) {
	for _, c := range []struct{ text, cron, describe string }{
		{"every day at 9", "0 9 * * *", "every day at 09:00"},
		{"Every Day At 9", "0 9 * * *", "every day at 09:00"},
		{"daily 09:30", "30 9 * * *", "every day at 09:30"},
		{"daily", "0 9 * * *", "every day at 09:00"},
		{"at 9 every day", "0 9 * * *", "every day at 09:00"},
		{"each day at 5", "0 5 * * *", "every day at 05:00"},
		{"every day at 5pm", "0 17 * * *", "every day at 17:00"},
		{"every day at 5 p.m.", "0 17 * * *", "every day at 17:00"},
		{"every day at 12am", "0 0 * * *", "every day at 00:00"},
		{"every day at 12 pm", "0 12 * * *", "every day at 12:00"},
		{"every day at noon", "0 12 * * *", "every day at 12:00"},
		{"every day at midnight", "0 0 * * *", "every day at 00:00"},
		{"daily at 9 and 17", "0 9,17 * * *", "every day at 09:00 and 17:00"},
		{"daily at 9:15, 12:15 and 17:15", "15 9,12,17 * * *", "every day at 09:15, 12:15 and 17:15"},
		{"daily at 9:00 and 9:30", "0,30 9 * * *", "every day at 09:00 and 09:30"},
		{"every day at 9 o'clock", "0 9 * * *", "every day at 09:00"},
		{"daily @ 9:00", "0 9 * * *", "every day at 09:00"},
		{"daily @9", "0 9 * * *", "every day at 09:00"},
		{"every 1 day at 8", "0 8 * * *", "every day at 08:00"},
		{"every weekday at 9", "0 9 * * MON-FRI", "every weekday at 09:00"},
		{"every weekday", "0 9 * * MON-FRI", "every weekday at 09:00"},
		{"weekdays at 9am", "0 9 * * MON-FRI", "every weekday at 09:00"},
		{"weekdays, 9:00", "0 9 * * MON-FRI", "every weekday at 09:00"},
		{"on weekdays at 17:45", "45 17 * * MON-FRI", "every weekday at 17:45"},
		{"every working day at 8", "0 8 * * MON-FRI", "every weekday at 08:00"},
		{"business days at 8", "0 8 * * MON-FRI", "every weekday at 08:00"},
		{"every workday 8:00", "0 8 * * MON-FRI", "every weekday at 08:00"},
		{"Monday to Friday at 9", "0 9 * * MON-FRI", "every weekday at 09:00"},
		{"mon-fri 9:00", "0 9 * * MON-FRI", "every weekday at 09:00"},
		{"Mon–Fri 9:00", "0 9 * * MON-FRI", "every weekday at 09:00"},
		{"Fri-Mon at 9", "0 9 * * FRI-MON", "every Monday, Friday, Saturday and Sunday at 09:00"},
		{"every Monday and Thursday at 14:00", "0 14 * * MON,THU", "every Monday and Thursday at 14:00"},
		{"every Mon, Wed and Fri at 7:30", "30 7 * * MON,WED,FRI", "every Monday, Wednesday and Friday at 07:30"},
		{"every mon/wed/fri at 7:30", "30 7 * * MON,WED,FRI", "every Monday, Wednesday and Friday at 07:30"},
		{"Mondays 9:00", "0 9 * * MON", "every Monday at 09:00"},
		{"on Mondays and Thursdays at 9", "0 9 * * MON,THU", "every Monday and Thursday at 09:00"},
		{"9:00 on Mondays", "0 9 * * MON", "every Monday at 09:00"},
		{"every sunday", "0 9 * * SUN", "every Sunday at 09:00"},
		{"every Saturday and Sunday at 10", "0 10 * * SAT,SUN", "every Saturday and Sunday at 10:00"},
		{"every Tues at 10", "0 10 * * TUE", "every Tuesday at 10:00"},
		{"weekly on Wednesday at 11", "0 11 * * WED", "every Wednesday at 11:00"},
		{"every week on Friday", "0 9 * * FRI", "every Friday at 09:00"},
		{"hourly", "0 * * * *", "every hour on the hour"},
		{"every hour", "0 * * * *", "every hour on the hour"},
		{"first Monday of the month 10:00", "0 10 * * MON#1", "on the first Monday of the month at 10:00"},
		{"the first Monday of each month at 10", "0 10 * * MON#1", "on the first Monday of the month at 10:00"},
		{"every first Monday at 10", "0 10 * * MON#1", "on the first Monday of the month at 10:00"},
		{"last Friday of the month at 16:00", "0 16 * * FRI#L", "on the last Friday of the month at 16:00"},
		{"every last Friday at 16:00", "0 16 * * FRI#L", "on the last Friday of the month at 16:00"},
		{"first and third Tuesday of the month", "0 9 * * TUE#1,TUE#3", "on the first and third Tuesday of the month at 09:00"},
		{"second Wednesday of every month at 9", "0 9 * * WED#2", "on the second Wednesday of the month at 09:00"},
		{"every second Wednesday of the month at 9", "0 9 * * WED#2", "on the second Wednesday of the month at 09:00"},
		{"2nd and 4th Thursday of the month at 9", "0 9 * * THU#2,THU#4", "on the second and fourth Thursday of the month at 09:00"},
		{"fifth Sunday of the month", "0 9 * * SUN#5", "on the fifth Sunday of the month (where there is one) at 09:00"},
		{"first Monday and last Friday of the month at 10", "0 10 * * MON#1,FRI#L", "on the first Monday and on the last Friday of the month at 10:00"},
		{"monthly on the first Monday at 10", "0 10 * * MON#1", "on the first Monday of the month at 10:00"},
		{"on the 1st and 15th at 8", "0 8 1,15 * *", "on the 1st and 15th of every month at 08:00"},
		{"1st and 15th of the month", "0 9 1,15 * *", "on the 1st and 15th of every month at 09:00"},
		{"every 1st and 15th at 8", "0 8 1,15 * *", "on the 1st and 15th of every month at 08:00"},
		{"every month on the 1st, 11th and 21st at 8", "0 8 1,11,21 * *", "on the 1st, 11th and 21st of every month at 08:00"},
		{"last day of the month 18:00", "0 18 L * *", "on the last day of every month at 18:00"},
		{"on the last day of every month at 18:00", "0 18 L * *", "on the last day of every month at 18:00"},
		{"first day of the month", "0 9 1 * *", "on the 1st of every month at 09:00"},
		{"first and last day of the month at 9", "0 9 1,L * *", "on the 1st and the last day of every month at 09:00"},
		{"monthly on the 3rd at 10", "0 10 3 * *", "on the 3rd of every month at 10:00"},
		{"every month on the 1st at 9", "0 9 1 * *", "on the 1st of every month at 09:00"},
		{"the 3rd of every month", "0 9 3 * *", "on the 3rd of every month at 09:00"},
		{"3rd every month at 9", "0 9 3 * *", "on the 3rd of every month at 09:00"},
		{"monthly on the 31st at 9", "0 9 31 * *", "on the 31st of every month (where there is one) at 09:00"},
		{"monthly on the last day", "0 9 L * *", "on the last day of every month at 09:00"},
		{"every month on the last Sunday at 20:00", "0 20 * * SUN#L", "on the last Sunday of the month at 20:00"},
		{"every quarter", "0 9 1 1,4,7,10 *", "on the 1st of January, April, July and October at 09:00"},
		{"quarterly at 8", "0 8 1 1,4,7,10 *", "on the 1st of January, April, July and October at 08:00"},
		{"every quarter on the last day at 17:00", "0 17 L 3,6,9,12 *", "on the last day of March, June, September and December at 17:00"},
		{"first Monday of the quarter at 10", "0 10 * 1,4,7,10 MON#1", "on the first Monday of January, April, July and October at 10:00"},
		{"yearly on 3 December at 9", "0 9 3 12 *", "every year on 3 December at 09:00"},
		{"every year on December 3 at 9", "0 9 3 12 *", "every year on 3 December at 09:00"},
		{"every 3 December at 9", "0 9 3 12 *", "every year on 3 December at 09:00"},
		{"annually on the 3rd of December", "0 9 3 12 *", "every year on 3 December at 09:00"},
		{"yearly on 1 January and 1 July at 9", "0 9 1 1,7 *", "every year on 1 January and 1 July at 09:00"},
		{"yearly on 29 February", "0 9 29 2 *", "every year on 29 February (where there is one) at 09:00"},
		{"yearly on the first Monday of December at 9", "0 9 * 12 MON#1", "on the first Monday of December at 09:00"},
		{"every last Sunday of March and October at 1", "0 1 * 3,10 SUN#L", "on the last Sunday of March and October at 01:00"},
		{"yearly on the last day of February at 9", "0 9 L 2 *", "on the last day of February at 09:00"},
		// Cron, which has names in any case, 7 for Sunday and weeks that go on.
		{"0 9 * * 1-5", "0 9 * * 1-5", "every weekday at 09:00"},
		{"0 9 * * mon-fri", "0 9 * * MON-FRI", "every weekday at 09:00"},
		{"  0   9 * * 7 ", "0 9 * * 7", "every Sunday at 09:00"},
		{"0 9 * * 5-7", "0 9 * * 5-7", "every Friday, Saturday and Sunday at 09:00"},
		{"0 9 * * fri-mon", "0 9 * * FRI-MON", "every Monday, Friday, Saturday and Sunday at 09:00"},
		{"0 9 * * 0-6", "0 9 * * 0-6", "every day at 09:00"},
		{"0 9 * jan,jul mon#1", "0 9 * JAN,JUL MON#1", "on the first Monday of January and July at 09:00"},
		{"30 2 * * SUN", "30 2 * * SUN", "every Sunday at 02:30"},
		{"0 9 L * *", "0 9 L * *", "on the last day of every month at 09:00"},
		{"0 9 1,l * *", "0 9 1,L * *", "on the 1st and the last day of every month at 09:00"},
		{"0 9 * * fri#l", "0 9 * * FRI#L", "on the last Friday of the month at 09:00"},
		{"0 9 * * 1#1,3#2", "0 9 * * 1#1,3#2", "on the first Monday and on the second Wednesday of the month at 09:00"},
		{"0 9 13 * FRI", "0 9 13 * FRI", "on the 13th of every month, and every Friday at 09:00"},
		{"*/15 * * * *", "*/15 * * * *", "every 15 minutes by the clock"},
		{"* * * * *", "* * * * *", "every minute"},
		{"5 * * * *", "5 * * * *", "every hour at 5 past"},
		{"0 */4 * * *", "0 */4 * * *", "every day at 00:00, 04:00, 08:00, 12:00, 16:00 and 20:00"},
		{"0 */2 * * *", "0 */2 * * *", "every 2 hours from 00:00 on"},
		{"0 9-17 * * MON-FRI", "0 9-17 * * MON-FRI", "every hour from 09:00 to 17:00, every weekday"},
		{"*/7 3 * * *", "*/7 3 * * *", `by cron "*/7 3 * * *"`},
		{"0 9 */2 * MON", "0 9 */2 * MON", `by cron "0 9 */2 * MON"`},
		{"0 0 29 2 ?", "0 0 29 2 ?", "every year on 29 February (where there is one) at 00:00"},
		{"0 9 * 2 MON#5", "0 9 * 2 MON#5", "on the fifth Monday of February (where there is one) at 09:00"},
		{"@daily", "0 0 * * *", "every day at 00:00"},
		{"@Weekly", "0 0 * * 0", "every Sunday at 00:00"},
		{"@monthly", "0 0 1 * *", "on the 1st of every month at 00:00"},
		{"@yearly", "0 0 1 1 *", "every year on 1 January at 00:00"},
		{"@annually", "0 0 1 1 *", "every year on 1 January at 00:00"},
		{"@hourly", "0 * * * *", "every hour on the hour"},
		{"@midnight", "0 0 * * *", "every day at 00:00"},
	} {
		t.Run(c.text, func(t *testing.T) {
			times := when.New()
			got, err := times.Parse(c.text, zone(t, "Europe/London"), now())
			if err != nil {
				t.Fatal(err)
			}
			if got.Cron != c.cron || got.Every != 0 || !got.At.IsZero() || got.Zone != "Europe/London" {
				t.Errorf("is %+v; want cron %q in Europe/London", got, c.cron)
			}
			if text := times.Describe(got); text != c.describe+", Europe/London time" {
				t.Errorf("is described as %q; want %q", text, c.describe)
			}
		})
	}
}

func TestPhrasesOfADistance(t *testing.T) {
	for text, want := range map[string]struct {
		every    time.Duration
		describe string
	}{
		"every 2 hours": {2 * time.Hour, "every 2 hours"}, "every 90 minutes": {90 * time.Minute, "every 90 minutes"}, "every 90min": {90 * time.Minute, "every 90 minutes"},
		"every 30 min": {30 * time.Minute, "every 30 minutes"}, "every 1h30m": {90 * time.Minute, "every 90 minutes"}, "every 2 hours and 30 minutes": {150 * time.Minute, "every 2 hours 30 minutes"},
		"every minute": {time.Minute, "every minute"}, "every half hour": {30 * time.Minute, "every 30 minutes"}, "every half an hour": {30 * time.Minute, "every 30 minutes"},
		"every quarter of an hour": {15 * time.Minute, "every 15 minutes"}, "every 336 hours": {336 * time.Hour, "every 336 hours (14 days)"}, "every 50 hours": {50 * time.Hour, "every 50 hours"}, "every 90 seconds": {90 * time.Second, "every 90 seconds"},
		"every 60 minutes": {time.Hour, "every 60 minutes"}, "@every 1h30m": {90 * time.Minute, "every 90 minutes"}, "@every 60s": {time.Minute, "every minute"},
	} {
		times := when.New()
		got, err := times.Parse(text, zone(t, "Europe/London"), now())
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got.Every != want.every || got.Cron != "" || !got.At.IsZero() {
			t.Errorf("%q is %+v; want every %s", text, got, want.every)
		}
		if d := times.Describe(got); d != want.describe {
			t.Errorf("%q is described as %q; want %q", text, d, want.describe)
		}
		if due, ok := times.Next(got, now(), ""); !ok || !due.At.Equal(now().Add(want.every)) {
			t.Errorf("%q comes next at %v, %v", text, due, ok)
		}
	}
}

func TestPhrasesOfOneMoment(t *testing.T) {
	london := zone(t, "Europe/London")
	for _, c := range []struct{ text, want string }{ // 2006-01-02T15:04 in London; now is Tuesday 2026-11-24T10:30
		{"in 2 hours", "2026-11-24T12:30"}, {"in 30 min", "2026-11-24T11:00"}, {"in 1h", "2026-11-24T11:30"}, {"in an hour", "2026-11-24T11:30"},
		{"in half an hour", "2026-11-24T11:00"}, {"in 1 hour and 30 minutes", "2026-11-24T12:00"}, {"in 1h30m", "2026-11-24T12:00"}, {"2 hours from now", "2026-11-24T12:30"},
		{"in 90 minutes", "2026-11-24T12:00"}, {"in 2 days", "2026-11-26T10:30"}, {"in 2 days at 9", "2026-11-26T09:00"}, {"in a week", "2026-12-01T10:30"},
		{"in 2 weeks at 9:15", "2026-12-08T09:15"}, {"in a fortnight", "2026-12-08T10:30"}, {"in 1 month", "2026-12-24T10:30"}, {"in 3 months", "2027-02-24T10:30"}, {"in a year", "2027-11-24T10:30"},
		{"tomorrow at 9", "2026-11-25T09:00"}, {"tomorrow", "2026-11-25T09:00"}, {"at 9 tomorrow", "2026-11-25T09:00"}, {"9am tomorrow", "2026-11-25T09:00"}, {"tomorrow noon", "2026-11-25T12:00"},
		{"the day after tomorrow at 9", "2026-11-26T09:00"}, {"today 17:00", "2026-11-24T17:00"}, {"today at 5pm", "2026-11-24T17:00"}, {"today at noon", "2026-11-24T12:00"},
		{"next Monday at 10", "2026-11-30T10:00"}, {"next Tuesday at 10", "2026-12-01T10:00"}, {"next monday", "2026-11-30T09:00"}, {"this Friday at 10", "2026-11-27T10:00"}, {"this coming Friday", "2026-11-27T09:00"},
		{"on Friday at 10", "2026-11-27T10:00"}, {"on Friday", "2026-11-27T09:00"}, {"on Tuesday at 10:00", "2026-12-01T10:00"}, {"on Friday at 00:00", "2026-11-27T00:00"},
		{"on 3 December at 14:00", "2026-12-03T14:00"}, {"3 December at 14:00", "2026-12-03T14:00"}, {"on the 3rd of December at 14:00", "2026-12-03T14:00"}, {"December 3rd, 14:00", "2026-12-03T14:00"},
		{"Dec 3 at 2pm", "2026-12-03T14:00"}, {"3 Dec 2026 14:00", "2026-12-03T14:00"}, {"December 3, 2026 at 14:00", "2026-12-03T14:00"}, {"3-Dec-2026 14:00", "2026-12-03T14:00"},
		{"Thursday 3 December at 14:00", "2026-12-03T14:00"}, {"on Thursday, 3 December 2026, 14:00", "2026-12-03T14:00"}, {"Thursday the 3rd of December", "2026-12-03T09:00"},
		{"2026-12-03 14:00", "2026-12-03T14:00"}, {"2026-12-03T14:00", "2026-12-03T14:00"}, {"2026-12-03t14:00:00", "2026-12-03T14:00"}, {"2026-12-03T14:00:00Z", "2026-12-03T14:00"},
		{"2026-12-03T14:00:00+02:00", "2026-12-03T12:00"}, {"2026-12-03", "2026-12-03T09:00"}, {"on 2026-12-03 at 9", "2026-12-03T09:00"}, {"25/12/2026 at 8", "2026-12-25T08:00"}, {"12/25/2026 at 8", "2026-12-25T08:00"},
		{"05/05", "2027-05-05T09:00"}, {"24 November at 10:31", "2026-11-24T10:31"}, {"23 November", "2027-11-23T09:00"}, {"on 29 February at 9", "2028-02-29T09:00"}, {"1 Jan 2027", "2027-01-01T09:00"},
		{"noon", "2026-11-24T12:00"}, {"midnight", "2026-11-25T00:00"}, {"at 9", "2026-11-25T09:00"}, {"at 5", "2026-11-25T05:00"}, {"17:00", "2026-11-24T17:00"}, {"10:30", "2026-11-25T10:30"},
		{"28 March 2027 at 1:30", "2027-03-28T02:00"},   // skipped: the first moment after the gap
		{"31 October 2027 at 1:30", "2027-10-31T01:30"}, // twice: the first
	} {
		times := when.New()
		got, err := times.Parse(c.text, london, now())
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if is := got.At.In(london).Format(keepwatch.WallLayout); is != c.want || got.Cron != "" || got.Every != 0 || got.Zone != "Europe/London" {
			t.Errorf("%q is %s (%+v); want %s", c.text, is, got, c.want)
		}
		if due, ok := times.Next(got, now(), ""); !ok || !due.At.Equal(got.At) || due.Wall != c.want {
			t.Errorf("%q comes due %+v, %v", c.text, due, ok)
		}
		if due, ok := times.Next(got, got.At, ""); ok {
			t.Errorf("%q comes due again at %v", c.text, due)
		}
		if due, ok := times.Next(got, now(), c.want); ok {
			t.Errorf("%q comes due again at the wall that has come already: %v", c.text, due)
		}
		if m, err := times.Moment(c.text, london, now()); err != nil || !m.Equal(got.At) {
			t.Errorf("as a moment %q is %v, %v", c.text, m, err)
		}
	}
	at, err := when.New().Parse("31 October 2027 at 1:30", london, now())
	if err != nil || !at.At.Equal(time.Date(2027, 10, 31, 0, 30, 0, 0, time.UTC)) {
		t.Errorf("the doubled hour: %v, %v; want the first, 00:30 UTC", at.At, err)
	}
}

func TestMoment(t *testing.T) {
	london := zone(t, "Europe/London")
	for text, want := range map[string]string{
		"1h": "2026-11-24T11:30", "3h": "2026-11-24T13:30", "45m": "2026-11-24T11:15", "30 min": "2026-11-24T11:00", "2 days": "2026-11-26T10:30", "1 week": "2026-12-01T10:30",
		"tomorrow": "2026-11-25T09:00", "next week": "2026-11-30T09:00", "next week at 11": "2026-11-30T11:00", "monday": "2026-11-30T09:00", "Friday at 14:00": "2026-11-27T14:00", "tuesday": "2026-12-01T09:00", "in 2 hours": "2026-11-24T12:30",
	} {
		got, err := when.New().Moment(text, london, now())
		if err != nil || got.Format(keepwatch.WallLayout) != want {
			t.Errorf("%q is %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"every day at 9", "0 9 * * *", "@daily", "Mondays", "every 2 hours", "today at 9", "next Friday", "", "tuesday at 11", "soon"} {
		if got, err := when.New().Moment(text, london, now()); keepwatch.KindOf(err) != keepwatch.KindInvalid {
			t.Errorf("%q is %v, %v; want it refused", text, got, err)
		}
	}
}

func TestDescribe(t *testing.T) {
	times := when.New()
	for want, w := range map[string]keepwatch.When{
		"once, on Thursday 3 December 2026 at 14:00, Europe/London time": {At: time.Date(2026, 12, 3, 14, 0, 0, 0, time.UTC), Zone: "Europe/London"},
		"once, on Thursday 3 December 2026 at 14:00, UTC":                {At: time.Date(2026, 12, 3, 14, 0, 0, 0, time.UTC), Zone: "Europe/Nowhere"},
		"every day at 09:00, UTC":                                        {Cron: "0 9 * * *"},
		"every day at 09:00, the bot's own time":                         {Cron: "0 9 * * *", Zone: "Local"},
		`never, as the cron expression "0 9 * *" cannot be read`:         {Cron: "0 9 * *"},
		"never": {},
	} {
		if got := times.Describe(w); got != want {
			t.Errorf("%+v is described as %q; want %q", w, got, want)
		}
	}
	got, err := times.Parse("every weekday", time.UTC, now())
	if want := "every weekday (at 09:00, as no time of day was said)"; err != nil || got.Said != want {
		t.Errorf("what was said is kept as %q, %v; want %q", got.Said, err, want)
	}
	if got, err = times.Parse("  Every  weekday at 9 ", time.UTC, now()); err != nil || got.Said != "Every weekday at 9" {
		t.Errorf("what was said is kept as %q, %v", got.Said, err)
	}
}
