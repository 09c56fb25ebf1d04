package handlers

import (
	"strings"
	"time"

	"keepwatch"
)

// notTooOften refuses a reminder that would flood its channel. It looks at as many
// as there are minutes in an hour, after which a cron expression repeats itself.
func (r *Router) notTooOften(rule keepwatch.Rule) error {
	if rule.When.Every > 0 && rule.When.Every >= leastDistance {
		return nil
	}
	var before time.Time
	for _, due := range r.upcoming(anew(rule), 61) {
		if !before.IsZero() && due.At.Sub(before) < leastDistance {
			return keepwatch.Errorf(keepwatch.KindInvalid, "That is more often than every 5 minutes, which would drown the channel. Write for example: every 30 minutes.")
		}
		before = due.At
	}
	return nil
}

// upcoming gives the next moments at which a rule comes due, as it was written: a
// pause or a skip does not count.
func (r *Router) upcoming(rule keepwatch.Rule, most int) []keepwatch.Due {
	var list []keepwatch.Due
	after, wall := r.cfg.Now(), rule.LastWall
	if !rule.Next.IsZero() && rule.Next.After(after) { // what was worked out is what will happen
		list = append(list, keepwatch.Due{At: rule.Next, Wall: rule.NextWall})
		after, wall = rule.Next, rule.NextWall
	}
	for len(list) < most {
		due, ok := r.cfg.Duties.Times.Next(rule.When, after, wall)
		if !ok {
			break
		}
		list = append(list, due)
		after, wall = due.At, due.Wall
	}
	return list
}

// comingBlocks gives the next moments, whose clock they go by, and what the quiet
// hours of the channel do to them.
func (r *Router) comingBlocks(c *call, rule keepwatch.Rule) []keepwatch.Block {
	names := []string{"Next", "2nd", "3rd", "4th", "5th"}
	coming := r.upcoming(rule, shownNext)
	if len(coming) == 0 {
		return []keepwatch.Block{keepwatch.Text("It does not come due any more.")}
	}
	var fields []keepwatch.Field
	var moved []string
	loc := r.ruleZone(rule)
	if !rule.When.At.IsZero() {
		names[0] = "Due"
	}
	for i, due := range coming {
		if rule.Skip != "" && rule.Skip == due.Wall {
			names[i] += ", left out"
		}
		fields = append(fields, keepwatch.Field{Name: names[i], Time: due.At})
		if at := r.undisturbed(rule, due.At); !at.Equal(due.At) {
			moved = append(moved, inZone(due.At, loc)+" → "+inZone(at, loc))
		}
	}
	zoned := "It goes by the clock of " + zoneWord(loc) + "."
	if rule.When.Every > 0 {
		zoned = "The distance is kept whatever clocks show."
	}
	if !c.req.Local {
		zoned += " The times above are shown in the time zone of whoever reads them."
	}
	blocks := []keepwatch.Block{{Fields: fields}, keepwatch.Text(zoned)}
	if len(moved) > 0 {
		blocks = append(blocks, keepwatch.Text("Quiet hours and days off of "+r.whereName(c, rule.Channel)+" have these wait:\n"+strings.Join(moved, "\n")))
	}
	return blocks
}

// undisturbed gives the first moment from one on at which a rule's message may be
// posted. Commands are carried out at their time in any case.
func (r *Router) undisturbed(rule keepwatch.Rule, at time.Time) time.Time {
	if rule.Kind == keepwatch.RuleCommand {
		return at
	}
	return r.hours(rule.Channel).Next(at, r.cfg.Location)
}
