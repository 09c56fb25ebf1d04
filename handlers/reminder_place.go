package handlers

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"keepwatch"
)

// place is where a rule posts: a channel, or a person's direct messages.
type place struct {
	channel string // as keepwatch.Rule.Channel
	person  string // whose direct messages they are; "" for a channel
}

// Mentions as platforms write them in what somebody typed
// (docs.slack.dev/messaging/formatting-message-text; Discord, developers/reference,
// "Message Formatting"). Slack's come here as slack:C0123 and slack:@U0123 where its
// front-end has read them.
var (
	channelMention = regexp.MustCompile(`^<#([A-Za-z0-9]+)(?:\|[^>]*)?>$`)
	accountMention = regexp.MustCompile(`^<@!?([A-Za-z0-9]+)(?:\|[^>]*)?>$`)
	rawPlace       = regexp.MustCompile(`^([a-z]+):(@?)([A-Za-z0-9]+)$`)
)

// place finds the channel that a word names, for whoever asks. It does not look
// whether the channel can be reached; see reachable.
func (r *Router) place(c *call, word string) (place, error) {
	platform := c.req.Account.Platform
	if m := channelMention.FindStringSubmatch(word); m != nil {
		word = platform + ":" + m[1]
	} else if m := accountMention.FindStringSubmatch(word); m != nil {
		word = platform + ":@" + m[1]
	}
	lower := strings.ToLower(word)
	switch {
	case lower == "here":
		return place{channel: c.req.Channel}, nil
	case lower == "me":
		return r.directly(c, c.person)
	case r.cfg.Duties.Channels[lower] != "":
		return place{channel: r.cfg.Duties.Channels[lower]}, nil
	case lower == "terminal" && c.req.Local:
		return place{channel: "terminal"}, nil
	}
	if m := rawPlace.FindStringSubmatch(word); m != nil {
		if m[2] == "" {
			return place{channel: word}, nil
		}
		for _, p := range r.cfg.People {
			if p.Accounts[m[1]] == m[3] {
				return place{word, p.Name}, nil
			}
		}
		return place{}, keepwatch.Errorf(keepwatch.KindNotFound, "I do not know the account %s, so nothing is sent to it. Ask %s to add it to keepwatch.yaml.", word, r.admins(platform))
	}
	if p, ok := r.personBy(strings.TrimPrefix(word, "@")); ok {
		return r.directly(c, p)
	}
	return place{}, r.noPlace(word)
}

// personBy finds a person by name, in any case.
func (r *Router) personBy(name string) (keepwatch.Person, bool) {
	i := slices.IndexFunc(r.cfg.People, func(p keepwatch.Person) bool { return strings.EqualFold(p.Name, name) })
	if i < 0 || name == "" {
		return keepwatch.Person{}, false
	}
	return r.cfg.People[i], true
}

// personNamed is personBy with a sentence where there is nobody of that name.
func (r *Router) personNamed(c *call, name string) (keepwatch.Person, error) {
	name = strings.TrimPrefix(name, "@")
	if strings.EqualFold(name, "me") {
		return c.person, nil
	}
	p, ok := r.personBy(name)
	if !ok {
		if at, err := r.place(c, name); err == nil && at.person != "" { // a mention
			p, ok = r.personBy(at.person)
		}
	}
	if ok {
		return p, nil
	}
	return p, r.nobody(name)
}

// nobody says that there is no person of a name, and who there is.
func (r *Router) nobody(name string) error {
	var names []string
	for _, p := range r.cfg.People {
		names = append(names, p.Name)
	}
	name = keepwatch.Printable(name)
	if near := nearest(name, names); near != "" {
		return keepwatch.Errorf(keepwatch.KindNotFound, "There is nobody named %q in keepwatch.yaml. Did you mean %s?", name, near)
	}
	return keepwatch.Errorf(keepwatch.KindNotFound, "There is nobody named %q in keepwatch.yaml. I know %s.", name, anyOf(names, "nobody"))
}

// directly gives a person's direct messages: on the platform of whoever asks, or
// else on any that is connected.
func (r *Router) directly(c *call, p keepwatch.Person) (place, error) {
	platforms := slices.SortedFunc(maps.Keys(p.Accounts), func(a, b string) int {
		if own := c.req.Account.Platform; a == own || b == own {
			return cmp.Compare(b2i(a != own), b2i(b != own))
		}
		return cmp.Compare(a, b)
	})
	var found []string
	for _, platform := range platforms {
		if platform == "terminal" || p.Accounts[platform] == "" {
			continue
		}
		channel := platform + ":@" + p.Accounts[platform]
		if r.connected(channel) {
			return place{channel, p.Name}, nil
		}
		found = append(found, channel)
	}
	if c.req.Local && p.Accounts["terminal"] == c.req.Account.ID {
		return place{"terminal", p.Name}, nil
	}
	if len(found) > 0 { // reachable says what is wrong with it
		return place{found[0], p.Name}, nil
	}
	return place{}, keepwatch.Errorf(keepwatch.KindInvalid, "%s has no account on Slack or Discord in keepwatch.yaml, so there are no direct messages to send to. Name a channel, and %s with --to.", p.Name, p.Name)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *Router) connected(channel string) bool {
	return r.cfg.Duties.Speaks == nil || channel == "terminal" || r.cfg.Duties.Speaks(channel)
}

// reachable finds the place that a word names, and refuses one on a platform that
// is not connected.
func (r *Router) reachable(c *call, word string) (place, error) {
	at, err := r.place(c, word)
	if speaks := r.cfg.Duties.Speaks; err == nil && at.channel == "terminal" && speaks != nil && !speaks("terminal") {
		return at, keepwatch.Errorf(keepwatch.KindInvalid, "The terminal shows nothing by itself while Keepwatch is connected to other places: what is posted here would stand in its log alone. Name %s, a channel's id as in slack:C0123, or a person such as @%s.",
			anyOf(slices.Sorted(maps.Keys(r.cfg.Duties.Channels)), "a channel"), r.somebody())
	}
	if err == nil && !r.connected(at.channel) {
		err = keepwatch.Errorf(keepwatch.KindInvalid, "Keepwatch is not connected to %s, so nothing can be sent to %s. Name another channel, or set %s up first: `/keepwatch check` says what is missing.",
			platformName(at.channel), r.placeName(at.channel), platformName(at.channel))
	}
	return at, err
}

func platformName(channel string) string {
	switch p := keepwatch.Platform(channel); p {
	case "slack":
		return "Slack"
	case "discord":
		return "Discord"
	default:
		return p
	}
}

// noPlace says that a word names no channel, and what does.
func (r *Router) noPlace(word string) error {
	if name, person := strings.CutPrefix(word, "@"); person && name != "" {
		return r.nobody(name)
	}
	names := slices.Sorted(maps.Keys(r.cfg.Duties.Channels))
	known := append([]string{"here", "me"}, names...)
	for _, p := range r.cfg.People {
		known = append(known, p.Name)
	}
	hint := "Write here for this channel, " + anyOf(names, "slack:C0123") + ", a channel's id as in slack:C0123 or discord:445566, or a person such as @" + r.somebody() + "."
	if near := nearest(strings.TrimLeft(word, "@#"), known); near != "" {
		hint = "Did you mean " + near + "?"
	} else if strings.HasPrefix(word, "#") {
		hint = "A channel is found by its id and not by its name: mention it from the list that appears while you type, or write slack:C0123. here is the channel that you are in."
	}
	return keepwatch.Errorf(keepwatch.KindNotFound, "There is no channel %q. %s", keepwatch.Printable(word), hint)
}

func (r *Router) somebody() string {
	if len(r.cfg.People) > 0 {
		return r.cfg.People[0].Name
	}
	return "Alis"
}

// anyOf writes a list of names, or what stands for an empty one.
func anyOf(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}

// PlaceName is what a channel is called where people read it; see placeName.
func (r *Router) PlaceName(channel string) string { return r.placeName(channel) }

// placeName is a channel for people: its name in the configuration, the person
// whose direct messages it is, or its id.
func (r *Router) placeName(channel string) string {
	for _, name := range slices.Sorted(maps.Keys(r.cfg.Duties.Channels)) {
		if r.cfg.Duties.Channels[name] == channel {
			return "the " + name + " channel"
		}
	}
	platform, id, _ := strings.Cut(channel, ":@")
	for _, p := range r.cfg.People {
		if id != "" && p.Accounts[platform] == id {
			return p.Name
		}
	}
	if channel == "terminal" {
		return "the terminal"
	}
	return channel
}

// whereName is placeName for whoever asks.
func (r *Router) whereName(c *call, channel string) string {
	name := r.placeName(channel)
	if channel != c.req.Channel {
		if strings.Contains(channel, ":@") {
			return name + ", in a direct message"
		}
		return name
	}
	if name == channel {
		return "here"
	}
	return "here, " + name
}
