#include "go_asm.h"
#include "textflag.h"

#define rt_sigprocmask 135
#define exit_group 94

// The child has our stack, too: nothing here uses it behind the fork.

// func start(c *Child)
TEXT ·start(SB), NOSPLIT, $0-8
	MOVD c+0(FP), R19

	MOVD $2, R0
	ADD $Child_mask, R19, R1
	MOVD R1, R2
	MOVD $8, R3
	MOVD $rt_sigprocmask, R8
	SVC

	MOVD (Child_Fork+Call_Args+0)(R19), R0
	MOVD (Child_Fork+Call_Args+8)(R19), R1
	MOVD (Child_Fork+Call_Args+16)(R19), R2
	MOVD (Child_Fork+Call_Args+24)(R19), R3
	MOVD (Child_Fork+Call_Args+32)(R19), R4
	MOVD (Child_Fork+Call_Number)(R19), R8
	SVC
	CBZ R0, child
	MOVD R0, Child_pid(R19)

	MOVD $2, R0 // as they were
	ADD $Child_mask, R19, R1
	MOVD $0, R2
	MOVD $8, R3
	MOVD $rt_sigprocmask, R8
	SVC
	RET

child:
	MOVD Child_Calls(R19), R20
	MOVD $0, R21
next:
	ADD $1, R21
	MOVD (Call_Args+0)(R20), R0
	MOVD (Call_Args+8)(R20), R1
	MOVD (Call_Args+16)(R20), R2
	MOVD (Call_Args+24)(R20), R3
	MOVD (Call_Args+32)(R20), R4
	MOVD Call_Number(R20), R8
	SVC
	ADD $Call__size, R20
	CMN $4095, R0
	BLO next // the last one only returns when it fails
	NEG R0, R0
	MOVD R0, Child_errno(R19)
	MOVD R21, Child_failed(R19)
	MOVD $253, R0
	MOVD $exit_group, R8
	SVC
	UNDEF

// func do(c *Call) int
TEXT ·do(SB), NOSPLIT, $0-16
	MOVD c+0(FP), R19
	MOVD (Call_Args+0)(R19), R0
	MOVD (Call_Args+8)(R19), R1
	MOVD (Call_Args+16)(R19), R2
	MOVD (Call_Args+24)(R19), R3
	MOVD (Call_Args+32)(R19), R4
	MOVD Call_Number(R19), R8
	SVC
	MOVD R0, ret+8(FP)
	RET
