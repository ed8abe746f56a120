package script

import "testing"

func TestARuleOfTheCommandLineInTheLanguage(t *testing.T) {
	for reply, want := range map[string]struct {
		text string
		most int
	}{
		"y":                            {`"y"`, 0},
		`\<y>`:                         {`"<y>"`, 0},
		"<y>":                          {`key("y")`, 0},
		"<down><enter>":                {`key("down", "enter")`, 0},
		"<>>":                          {`key(">")`, 0},
		"<secret env:PW>":              {`secret("env:PW")`, 0},
		"<secret 2 env:PW>":            {`secret("env:PW")`, 2},
		"<secret unproved 2 cmd:a b>":  {`secret("cmd:a b", unproved = True)`, 2},
		"<fail no way>":                {`lambda m: fail("no way")`, 0},
		"<eof>":                        {`lambda m: p.sendeof()`, 0},
		"<ask>":                        {`lambda m: p.sendline(ask(m.text))`, 0},
		"<down><secret env:PW><enter>": {`lambda m: [p.sendkey("down"), p.sendsecret("env:PW"), p.sendkey("enter")] and None`, 1},
	} {
		if text, most := ruleReply(reply); text != want.text || most != want.most {
			t.Errorf("%s: got %s, %d, want %s, %d", reply, text, most, want.text, want.most)
		}
	}
}
