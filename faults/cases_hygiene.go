//go:build linux

package main

var hygieneCases = []fault{}
