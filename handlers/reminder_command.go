package handlers

import (
	"strings"

	"keepwatch"
)

// dueCommand checks a command that is to be carried out at a time, when nobody is
// there to be asked, and gives it without its slash.
func (r *Router) dueCommand(c *call, words []string) (string, error) {
	if len(words) == 1 { // quoted as a whole
		var err error
		if words, err = Split(words[0]); err != nil {
			return "", err
		}
	}
	words = append([]string{strings.TrimPrefix(words[0], "/")}, words[1:]...)
	typed := "/" + Quote(words...)
	cmd, rest, found := r.find(words)
	switch {
	case !found || words[0] == "":
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "%s is no command of Keepwatch, and a text that begins with a slash is one. `/keepwatch help` lists them. For a text, put a word before it.", typed)
	case c.person.Role < cmd.Role:
		return "", keepwatch.Errorf(keepwatch.KindDenied, "/%s needs the role %s or above; yours is %s, and a command is carried out with the rights of whoever made the reminder. Ask %s.", cmd.Title(), cmd.Role, c.person.Role, r.admins(c.req.Account.Platform))
	case cmd.Role >= keepwatch.RoleAdmin && !cmd.Timed:
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "/%s is for admins, who look at what it does. It is not carried out by itself; have the reminder say in words that it is time for it.", cmd.Title())
	case cmd.Local:
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "/%s works only while somebody sits at the terminal. Have the reminder say in words that it is time for it.", cmd.Title())
	case cmd.Private || cmd.shut != nil && cmd.shut(rest):
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "/%s answers whoever asks alone, and nobody asks when it comes due. Have the reminder say in words that it is time to look.", cmd.Title())
	case confirms(cmd):
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "/%s asks for a confirmation, and nobody is there to give it. Have the reminder say in words that it is time for it.", cmd.Title())
	case cmd.Group == "reminder" && cmd.Name != "list" && cmd.Name != "show":
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "A reminder cannot carry out /%s: reminders that change reminders soon nobody understands.", cmd.Title())
	}
	return Quote(words...), r.checkDue(c, cmd, rest)
}

// confirms reports whether a command shows what it would do and waits for a word.
func confirms(cmd Command) bool { _, ok := cmd.option("confirm"); return ok }

// checkDue finds out now what would be wrong with a command then.
func (r *Router) checkDue(c *call, cmd Command, rest []string) error {
	got, missing, err := cmd.bind(rest)
	if err != nil {
		return err
	}
	if missing != nil {
		return keepwatch.Errorf(keepwatch.KindInvalid, "/%s needs a %s, and nobody is there to ask then. It is written: /%s", cmd.Title(), strings.ToUpper(missing.Name), cmd.Usage())
	}
	for _, o := range cmd.Options {
		name := got.one(o.Name)
		if o.Type != TypeSource || name == "" {
			continue
		}
		if _, err := r.cfg.Sources.Source(name); keepwatch.KindOf(err) == keepwatch.KindNotFound {
			return r.noSource(name, "")
		} else if err != nil {
			return err
		}
	}
	return r.mayThen(c, cmd)
}

// mayThen refuses a command that is to be carried out at a time by somebody whose role
// comes from a group.
func (r *Router) mayThen(c *call, cmd Command) error {
	alone, known := r.person(keepwatch.Request{Account: c.req.Account})
	if !known || alone.Role < cmd.Role {
		return keepwatch.Errorf(keepwatch.KindInvalid, "Your role comes from a group, and when the time comes nobody looks into it. Ask %s to add your account to keepwatch.yaml, or to make this reminder.", r.admins(c.req.Account.Platform))
	}
	return nil
}
