package authenticator

import (
	"fmt"
	"strings"
	"time"

	"keepwatch"
)

// Facts gives what of all this needs somebody, as it is at a time: devices whose
// backup is off, old or not looked at, things of which nobody has said where they are
// recorded, and, where devices or a dossier are known at all, what would help most in
// a lock-out.
func (k *Keeper) Facts(now time.Time) ([]keepwatch.Fact, error) {
	devices, err := k.Devices()
	if err != nil {
		return nil, err
	}
	var list []keepwatch.Fact
	for _, d := range devices {
		if f, bad := k.deviceFact(d); bad {
			list = append(list, f)
		}
	}
	custodies, err := k.Custodies()
	if err != nil {
		return nil, err
	}
	for _, c := range custodies {
		if f, bad := k.custodyFact(c, now); bad {
			list = append(list, f)
		}
	}
	probes, score, err := k.Readiness()
	if err != nil {
		return nil, err
	}
	if f, bad := readyFact(probes, score); bad {
		f.To = k.asked(keepwatch.Custody{}).Name // where a team is weak is for its admins
		list = append(list, f)
	}
	return list, nil
}

// deviceFact says what is wrong with a device, in words for whoever holds it. One that
// is merely due is asked about, which is enough.
func (k *Keeper) deviceFact(d keepwatch.DeviceState) (keepwatch.Fact, bool) {
	name, slug := d.Device.Name, keepwatch.NameFrom(d.Device.Name)
	f := keepwatch.Fact{Key: keepwatch.DeviceSubject(d.Device), Kind: keepwatch.FactStale, Tone: keepwatch.ToneWarn, To: d.Person, Urge: string(d.Standing)}
	check := keepwatch.Button{Label: "Say what it shows", Command: "authenticator checked " + slug, Style: keepwatch.StylePrimary}
	guide := keepwatch.Button{Label: "Show me how", Command: "authenticator guide " + d.Device.Platform}
	f.Buttons = []keepwatch.Button{check, guide}
	switch d.Standing {
	case keepwatch.StandingNever:
		f.Title = name + ": nobody has looked at the backup of Authenticator yet"
		f.Text = "Open Authenticator → Settings → " + setting(d.Device) + " and say which date it shows."
	case keepwatch.StandingStale:
		f.Title = name + ": the backup of Authenticator was not looked at since " + k.date(d.Last.Said)
		f.Text = "It was to be looked at every " + span(d.Device.Recheck) + ". Open Authenticator → Settings → " + setting(d.Device) + " and say which date it shows."
	case keepwatch.StandingOld:
		f.Title = name + ": the backup of Authenticator is of " + day(d.Seen)
		f.Text = "Accounts that were added since then are not in it. " + renew(d.Device)
	case keepwatch.StandingOff:
		f.Kind, f.Urge = keepwatch.FactBackupOff, string(d.Last.State)
		f.Title, f.Text = name+": the backup of Authenticator is off", "If this phone is lost, the one-time codes in it are lost with it. Turn the backup on, then say which date it shows."
		if d.Last.State == keepwatch.AttestedNever {
			f.Title, f.Text = name+": Authenticator has never made a backup", renew(d.Device)
		}
		if d.Last.State == keepwatch.AttestedNotFound {
			f.Title, f.Text = name+": the backup of Authenticator could not be found", "The steps show where it is, screen by screen."
		}
		f.Buttons = []keepwatch.Button{{Label: "Turn it on, step by step", Command: guide.Command, Style: keepwatch.StylePrimary}, {Label: check.Label, Command: check.Command}}
	case keepwatch.StandingReplaced:
		f.Kind = keepwatch.FactBackupOff
		f.Title, f.Text = name+": the new phone is not set up yet", "Keep the old phone until the new one can sign in. Set the new one up, then say which date its backup shows."
		f.Buttons = []keepwatch.Button{{Label: "Set up the new phone", Command: "authenticator recover", Style: keepwatch.StylePrimary}, {Label: check.Label, Command: check.Command}}
	default:
		return f, false
	}
	if d.Device.GlobalAdmin {
		if d.Standing != keepwatch.StandingOld {
			f.Tone = keepwatch.ToneBad
		}
		f.Text += " " + d.Person + " is a global administrator: a second method matters even more, because a backup brings back the name of a work account and not the sign-in."
	}
	return f, true
}

// setting names the screen of Authenticator that shows the backup.
func setting(d keepwatch.Device) string {
	if d.Platform == "android" {
		return "Cloud backup"
	}
	return "iCloud Backup"
}

// renew says how a new backup is made. On an iPhone the app itself makes none: iCloud
// does, after the app was opened (Microsoft 365 message centre, September 2025; iOS 16
// and Authenticator 6.8.33 or later).
func renew(d keepwatch.Device) string {
	if d.Platform == "android" {
		return "Update Authenticator and open it, then see under Settings → Cloud backup that it is on and signed in with a personal Microsoft account."
	}
	return "See that iCloud Drive, iCloud Keychain and iCloud Backup are on and that Authenticator is on under Saved to iCloud, then open Authenticator once."
}

// span writes a recheck: "30 days".
func span(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return keepwatch.FormatCount(int64(d/(24*time.Hour)), "day")
	}
	return keepwatch.FormatDuration(d)
}

// custodyFact says that nobody knows, or has said for too long, where something is.
func (k *Keeper) custodyFact(s keepwatch.CustodyState, now time.Time) (keepwatch.Fact, bool) {
	c := s.Custody
	f := keepwatch.Fact{Key: keepwatch.CustodySubject(c.Name), Kind: keepwatch.FactCustody, Tone: keepwatch.ToneWarn, To: c.Owner,
		Buttons: []keepwatch.Button{{Label: "Say where", Command: "authenticator custody " + c.Name, Style: keepwatch.StylePrimary}}}
	if c.Name == VaultKey {
		f.Tone = keepwatch.ToneBad
	}
	if f.To == "" {
		f.To = k.asked(c).Name // a channel need not know what is recorded nowhere
	}
	const keeps = " Keepwatch keeps only where it is recorded, never what it is."
	switch {
	case s.Last == nil:
		f.Urge, f.Title = "never", "Nobody has said where this is recorded: "+c.What
		f.Text = "Whatever it opens is lost with it. Say where it is recorded, such as \"in the safe, blue folder\"." + keeps
		if c.Name == VaultKey {
			f.Text = "Without this key no archive opens, and it lies on the same machine as the archives. Copy the file " + k.cfg.KeyFile + " to another place (a password manager, a safe), then say where." + keeps
		}
	case s.Last.State == keepwatch.AttestedLost:
		f.Urge, f.Tone, f.Title = "lost", keepwatch.ToneBad, "Nobody knows where this is recorded: "+c.What
		f.Text = s.Last.By + " said so on " + k.date(s.Last.Said) + ". As long as it still works somewhere, set a new one and record it; then say where." + keeps
	case !now.Before(nextCustody(c, *s.Last).Add(min(c.Recheck, lateAfter))):
		f.Urge, f.Title = "stale", "Is this still where it was: "+c.What+"?"
		f.Text = s.Last.By + " last said on " + k.date(s.Last.Said) + " where it is recorded. Look whether it is still there, and say so."
	default:
		return f, false
	}
	return f, true
}

// readyFact says in one fact what a lock-out would meet, and what helps the most.
func readyFact(probes []keepwatch.Probe, score int) (keepwatch.Fact, bool) {
	var open []keepwatch.Probe
	for _, p := range probes {
		if p.Status == keepwatch.ProbeBad || p.Status == keepwatch.ProbeWarn {
			open = append(open, p)
		}
	}
	if len(open) == 0 {
		return keepwatch.Fact{}, false
	}
	first := open[0]
	f := keepwatch.Fact{Key: "ready", Kind: keepwatch.FactReady, Tone: keepwatch.ToneWarn, Urge: first.Name,
		Title:   fmt.Sprintf("Ready for a lock-out: %d of 100", score),
		Text:    strings.TrimSpace("What helps the most: " + first.Text + " " + first.Next),
		Buttons: []keepwatch.Button{{Label: "Show all", Command: "authenticator ready"}}}
	if more := len(open) - 1; more > 0 {
		f.Text += " " + keepwatch.FormatCount(int64(more), "more thing is", "more things are") + " open."
	}
	return f, true
}
