package secret

import "testing"

func TestQuestion(t *testing.T) {
	for prompt, want := range map[string]string{
		"":                       "Secret: ",
		" ":                      "Secret: ",
		"Password":               "Password: ",
		"Password: ":             "Password: ",
		"Really?":                "Really? ",
		"a\x1b[2Jb\n\u202ec\xff": "a[2Jbc: ",
	} {
		if got := question(prompt); got != want {
			t.Errorf("question(%q) = %q, want %q", prompt, got, want)
		}
	}
}

func TestEditor(t *testing.T) {
	const erase, kill, interrupt, end = 0x18, 0x15, 0x03, 0x04
	for _, tt := range []struct {
		typed string
		last  verdict // of the last key; the others go on
		text  string
	}{
		{"hunter2\r", answered, "hunter2"},
		{"hunter2\n", answered, "hunter2"},
		{"\r", answered, ""},
		{"hunter", goesOn, "hunter"},
		{"hunter3\x182\r", answered, "hunter2"},
		{"hunter3\x7f2\r", answered, "hunter2"},
		{"hunter3\b2\r", answered, "hunter2"},
		{"ä漢\x7f\r", answered, "ä"},
		{"a\xff\x7f\r", answered, "a"},
		{"a\x7f\x7fb\r", answered, "b"},
		{"wrong\x15right\r", answered, "right"},
		{"hunter2\x04", answered, "hunter2"},
		{"\x04", ended, ""},
		{"hunt\x03", interrupted, "hunt"},
		{"a\tb \x1b[A\r", answered, "a\tb \x1b[A"},
		{"a\x00b\r", answered, "ab"},
	} {
		e := editor{erase: erase, kill: kill, interrupt: interrupt, end: end}
		for i := range len(tt.typed) {
			want := goesOn
			if i == len(tt.typed)-1 {
				want = tt.last
			}
			if got := e.press(tt.typed[i]); got != want {
				t.Errorf("%q, key %d: verdict %d, want %d", tt.typed, i, got, want)
			}
		}
		if string(e.text) != tt.text {
			t.Errorf("%q makes %q, want %q", tt.typed, e.text, tt.text)
		}
	}
}

func TestEditorWipes(t *testing.T) {
	var e editor
	for _, b := range []byte("hunter2\x7f") {
		e.press(b)
	}
	if all := e.text[:cap(e.text)]; all[6] != 0 {
		t.Errorf("what was erased is still there: %q", all)
	}
}

func TestEditorWithoutControlCharacters(t *testing.T) {
	var e editor // all disabled, as by stty
	for _, b := range []byte("a\x00\x03\x04b") {
		if got := e.press(b); got != goesOn {
			t.Errorf("%q: verdict %d", b, got)
		}
	}
	if string(e.text) != "a\x03\x04b" {
		t.Errorf("got %q", e.text)
	}
}
