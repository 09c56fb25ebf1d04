package slacktest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"keepwatch/handlers/slack/slacktest"
)

func mrkdwn(text string) args { return args{"type": "mrkdwn", "text": text} }

func x(n int) string { return strings.Repeat("x", n) }

func times(n int, make func(i int) args) []args {
	all := []args{}
	for i := range n {
		all = append(all, make(i))
	}
	return all
}

func divider(int) args { return args{"type": "divider"} }

func numbered(i int) args { return button(fmt.Sprint("b", i)) }

func options(n int) []args {
	return times(n, func(i int) args { return choice(fmt.Sprint(i), fmt.Sprint(i)) })
}

func actions(elements ...args) []args {
	return []args{{"type": "actions", "elements": elements}}
}

func with(o args, key string, value any) args {
	out := args{}
	for k, v := range o {
		out[k] = v
	}
	out[key] = value
	return out
}

func selectOf(options []args) args {
	return args{"type": "static_select", "action_id": "s", "placeholder": plain("Pick"), "options": options}
}

// limit is a limit of blocks at its value and one over it.
type limit struct {
	name      string
	good, bad []args
}

func blockLimits() []limit {
	section := func(text any) []args { return []args{{"type": "section", "text": text}} }
	confirm := func(key string, n int) []args {
		c := args{"title": plain("t"), "text": plain("t"), "confirm": plain("y"), "deny": plain("n")}
		return actions(with(button("B"), "confirm", with(c, key, plain(x(n)))))
	}
	return []limit{
		{"blocks", times(50, divider), times(51, divider)},
		{"section text", section(mrkdwn(x(3000))), section(mrkdwn(x(3001)))},
		{"empty text", section(mrkdwn("x")), section(mrkdwn(""))},
		{"text type", section(plain("x")), section(args{"type": "html", "text": "x"})},
		{"text that is no object", section(plain("x")), section("x")},
		{"section fields", []args{{"type": "section", "fields": times(10, func(int) args { return mrkdwn("x") })}}, []args{{"type": "section", "fields": times(11, func(int) args { return mrkdwn("x") })}}},
		{"field text", []args{{"type": "section", "fields": []args{mrkdwn(x(2000))}}}, []args{{"type": "section", "fields": []args{mrkdwn(x(2001))}}}},
		{"header", []args{{"type": "header", "text": plain(x(150))}}, []args{{"type": "header", "text": plain(x(151))}}},
		{"header kind", []args{{"type": "header", "text": plain("x")}}, []args{{"type": "header", "text": mrkdwn("x")}}},
		{"context elements", []args{{"type": "context", "elements": times(10, func(int) args { return mrkdwn("x") })}}, []args{{"type": "context", "elements": times(11, func(int) args { return mrkdwn("x") })}}},
		{"context kind", []args{{"type": "context", "elements": []args{{"type": "image", "image_url": "https://a.example/i.png", "alt_text": "i"}}}}, []args{{"type": "context", "elements": []args{button("B")}}}},
		{"actions elements", actions(times(25, numbered)...), actions(times(26, numbered)...)},
		{"no actions", actions(button("B")), actions()},
		{"button text", actions(with(button("B"), "text", plain(x(75)))), actions(with(button("B"), "text", plain(x(76))))},
		{"button text kind", actions(button("B")), actions(with(button("B"), "text", mrkdwn("x")))},
		{"button value", actions(with(button("B"), "value", x(2000))), actions(with(button("B"), "value", x(2001)))},
		{"button url", actions(with(button("B"), "url", x(3000))), actions(with(button("B"), "url", x(3001)))},
		{"button style", actions(with(button("B"), "style", "danger")), actions(with(button("B"), "style", "default"))},
		{"action id", actions(with(button("B"), "action_id", x(255))), actions(with(button("B"), "action_id", x(256)))},
		{"the same action id", actions(button("B"), button("C")), actions(button("B"), button("B"))},
		{"block id", []args{{"type": "divider", "block_id": x(255)}}, []args{{"type": "divider", "block_id": x(256)}}},
		{"the same block id", []args{{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "b"}}, []args{{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}}},
		{"options", actions(selectOf(options(100))), actions(selectOf(options(101)))},
		{"no options", actions(selectOf(options(1))), actions(selectOf(options(0)))},
		{"options and groups", actions(selectOf(options(1))), actions(with(selectOf(options(1)), "option_groups", []args{{"label": plain("g"), "options": options(1)}}))},
		{"option text", actions(selectOf([]args{choice(x(75), "v")})), actions(selectOf([]args{choice(x(76), "v")}))},
		{"option value", actions(selectOf([]args{choice("o", x(150))})), actions(selectOf([]args{choice("o", x(151))}))},
		{"option description", actions(selectOf([]args{with(choice("o", "v"), "description", plain(x(75)))})), actions(selectOf([]args{with(choice("o", "v"), "description", plain(x(76)))}))},
		{"initial option", actions(with(selectOf(options(2)), "initial_option", choice("1", "1"))), actions(with(selectOf(options(2)), "initial_option", choice("9", "9")))},
		{"placeholder", actions(with(selectOf(options(1)), "placeholder", plain(x(150)))), actions(with(selectOf(options(1)), "placeholder", plain(x(151))))},
		{"group label", actions(args{"type": "static_select", "option_groups": []args{{"label": plain(x(75)), "options": options(1)}}}), actions(args{"type": "static_select", "option_groups": []args{{"label": plain(x(76)), "options": options(1)}}})},
		{"overflow", actions(args{"type": "overflow", "options": options(5)}), actions(args{"type": "overflow", "options": options(6)})},
		{"radio buttons", actions(args{"type": "radio_buttons", "options": options(10)}), actions(args{"type": "radio_buttons", "options": options(11)})},
		{"element type", actions(button("B")), actions(args{"type": "lever"})},
		{"block type", times(1, divider), []args{{"type": "marquee"}}},
		{"confirm title", confirm("title", 100), confirm("title", 101)},
		{"confirm text", confirm("text", 300), confirm("text", 301)},
		{"confirm button", confirm("confirm", 30), confirm("confirm", 31)},
		{"deny button", confirm("deny", 30), confirm("deny", 31)},
		{"image", []args{{"type": "image", "image_url": x(3000), "alt_text": "i"}}, []args{{"type": "image", "image_url": x(3001), "alt_text": "i"}}},
		{"image without alt text", []args{{"type": "image", "image_url": "u", "alt_text": "i"}}, []args{{"type": "image", "image_url": "u"}}},
		{"image without address", []args{{"type": "image", "image_url": "u", "alt_text": "i"}}, []args{{"type": "image", "alt_text": "i"}}},
		{"input label", []args{{"type": "input", "label": plain(x(2000)), "element": args{"type": "plain_text_input"}}}, []args{{"type": "input", "label": plain(x(2001)), "element": args{"type": "plain_text_input"}}}},
		{"input without element", []args{{"type": "input", "label": plain("x"), "element": args{"type": "plain_text_input"}}}, []args{{"type": "input", "label": plain("x")}}},
		{"markdown", []args{{"type": "markdown", "text": x(12000)}}, []args{{"type": "markdown", "text": x(6000)}, {"type": "markdown", "text": x(6001)}}},
		{"rich text", []args{{"type": "rich_text", "elements": []args{}}}, []args{{"type": "rich_text"}}},
		{"table rows", table(100, 20), table(101, 20)},
		{"table columns", table(1, 20), table(1, 21)},
	}
}

func TestBlockLimits(t *testing.T) {
	for _, c := range blockLimits() {
		t.Run(c.name, func(t *testing.T) {
			if got := check(t, c.good); len(got) != 0 {
				t.Errorf("at the limit: %v", got)
			}
			if got := check(t, c.bad); len(got) == 0 {
				t.Error("over the limit it is taken")
			}
		})
	}
}

func table(rows, columns int) []args {
	all := make([][]args, rows)
	for i := range all {
		all[i] = times(columns, func(int) args { return args{"type": "raw_text", "text": "x"} })
	}
	return []args{{"type": "table", "rows": all}}
}

func check(t *testing.T, blocks any) []string {
	t.Helper()
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	return slacktest.CheckBlocks(raw, 50)
}

func TestBlocksTooLongTogether(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{Rates: slacktest.Rates{Mode: slacktest.RatesOff}})
	long := func(n int) args {
		return args{"channel": slacktest.Ops, "blocks": times(n, func(int) args { return args{"type": "section", "text": mrkdwn(x(3000))} })}
	}
	must(t, s, "chat.postMessage", long(4))
	if a := call(t, s, "chat.postMessage", long(5)); a.err() != "msg_blocks_too_long" {
		t.Errorf("15,000 characters: %v", a.Raw)
	}
	a := call(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "blocks": []args{{"type": "section", "text": mrkdwn(x(3001))}}})
	if a.err() != "invalid_blocks" || !strings.Contains(fmt.Sprint(inner(a.Raw, "response_metadata", "messages")), "/blocks/0/text") {
		t.Errorf("the refusal does not say where: %v", a.Raw)
	}
	if got := slacktest.CheckBlocks(json.RawMessage(`{}`), 50); len(got) != 1 {
		t.Errorf("no list: %v", got)
	}
	if got := slacktest.CheckBlocks(json.RawMessage(`[null]`), 50); len(got) != 1 {
		t.Errorf("a null: %v", got)
	}
}

func TestIDsAreGiven(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	b := button("Yes")
	delete(b, "action_id")
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "blocks": actions(b)})
	got := s.Messages(slacktest.Ops)[0].Buttons()
	if len(got) != 1 || got[0].ActionID == "" || got[0].BlockID == "" {
		t.Errorf("the buttons are %+v", got)
	}
}

func TestRendering(t *testing.T) {
	raw, err := json.Marshal([]args{
		{"type": "header", "text": plain("Run 7")},
		{"type": "section", "text": mrkdwn("*notes* &lt;b&gt; &amp; <https://a.example|the page> <@U0ALIS> <!date^1700000000^{date}|14 Nov>"), "fields": []args{mrkdwn("size"), plain("3 MB")}, "accessory": button("Details")},
		{"type": "divider"},
		{"type": "context", "elements": []args{mrkdwn("by"), {"type": "image", "image_url": "u", "alt_text": "Alis"}}},
		{"type": "actions", "elements": []args{with(button("Cancel"), "style", "danger"), selectOf(options(2))}},
		{"type": "input", "label": plain("Why"), "element": args{"type": "plain_text_input", "action_id": "why"}},
		{"type": "rich_text", "elements": []args{{"type": "rich_text_section", "elements": []args{{"type": "text", "text": "rich "}, {"type": "text", "text": "words"}}}}},
		table(2, 2)[0],
		{"type": "markdown", "text": "# raw"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "Run 7\n*notes* <b> & the page @U0ALIS 14 Nov\nsize\n3 MB\n---\nby Alis\nWhy\nrich words\nx | x\nx | x\n# raw"
	if got := slacktest.PlainText(raw); got != want {
		t.Errorf("it reads\n%s\nnot\n%s", got, want)
	}
	if got := slacktest.Buttons(raw); len(got) != 2 || got[0].Label != "Details" || got[1].Style != "danger" || got[1].Value != "v Cancel" {
		t.Errorf("the buttons are %+v", got)
	}
	if got := slacktest.Choices(raw); len(got) != 2 || fmt.Sprint(got[0].Options) != "[0 1]" || got[0].Label != "Pick" || got[1].Label != "Why" {
		t.Errorf("the choices are %+v", got)
	}
	if slacktest.PlainText(nil) != "" || slacktest.Buttons(nil) != nil {
		t.Error("nothing reads as something")
	}
}

func TestNotifies(t *testing.T) {
	s := slacktest.New(t, slacktest.Config{})
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": "&lt;!here&gt; <!date^1^x|y>", "blocks": []args{{"type": "section", "text": mrkdwn("&lt;@U0ALIS&gt;")}, {"type": "section", "text": plain("<!channel>")}}})
	if got := s.Messages(slacktest.Ops)[0].Pings(); len(got) != 0 {
		t.Errorf("escaped, it pings %v", got)
	}
	must(t, s, "chat.postMessage", args{"channel": slacktest.Ops, "text": "<!here>", "blocks": []args{{"type": "section", "text": mrkdwn("<@U0ALIS> <!subteam^S0ADM|x>")},
		{"type": "rich_text", "elements": []args{{"type": "rich_text_section", "elements": []args{{"type": "broadcast", "range": "channel"}}}}}}})
	if got := s.Messages(slacktest.Ops)[1].Pings(); len(got) != 4 {
		t.Errorf("it pings %v", got)
	}
}
