; The exchange of one set of files for another, so that whatever fails, and wherever the power goes,
; what is installed is the old version or the new one, never a mixture.
;
; Folders in the installation:    incoming  the new set, before it is in place
;                                 outgoing  the old set, until the exchange is final
;                                 previous  the version before, for the rollback
;                                 discarded what is still in use and vanishes with Windows' next start
; The journal says how far it came; it is written before the step that it announces.
;   state "exchanging": files are on the move; after a crash everything goes back
;   state "final":      the new version is in place; after a crash the rest is tidied up
; Nothing here can make Windows write to the disk at once (that would take a plug-in). A power cut may
; take the last seconds, and with them the journal: then the next setup fills gaps and goes on.
; A file in use can be renamed, not overwritten: programs that run keep the old one.

!define JOURNAL "$INSTDIR\journal.ini"
!define UNKNOWN_COMMAND 2 ; what asio-driver.exe returns for wrong usage

; Every file of a version. EachFile inserts the macro DO for each.
!macro EachFile DO
  !insertmacro ${DO} "asio-driver.exe"
  !insertmacro ${DO} "asio-host.exe"
  !insertmacro ${DO} "asio-driver.dll"
  !insertmacro ${DO} "x86\asio-driver.dll"
  !insertmacro ${DO} "x86\asio-host.exe"
  !insertmacro ${DO} "SHA256SUMS"
  !insertmacro ${DO} "bom.cdx.json"
  !insertmacro ${DO} "notices.txt"
  !insertmacro ${DO} "vendor.toml"
  !insertmacro ${DO} "uninstall.exe"
!macroend

; Parameters are in $R0.
!macro ReadCommonSwitches
  ClearErrors
  ${GetOptions} $R0 "/LOG=" $LogFile
  ${If} ${Errors}
    StrCpy $LogFile ""
  ${EndIf}
  !ifdef FAULTS
    ClearErrors
    ${GetOptions} $R0 "/FAULT=" $FaultAt
    ${If} ${Errors}
      StrCpy $FaultAt 0
    ${EndIf}
  !endif
!macroend

!macro FaultPoint
  !ifdef FAULTS
    IntOp $Fault $Fault + 1
    ${If} $Fault == $FaultAt
      StrCpy $Failure "Fault $Fault, on purpose."
    ${EndIf}
  !endif
!macroend

; Runs the installed program; its exit code, or "error", goes to $R8. It ends by itself: each of its
; commands has a limit of its own.
!macro RunDriver ARGUMENTS
  StrCpy $R8 "error"
  ${If} ${FileExists} "$INSTDIR\asio-driver.exe"
    ClearErrors
    ExecWait '"$INSTDIR\asio-driver.exe" ${ARGUMENTS}' $R8
    ${If} ${Errors}
      StrCpy $R8 "error"
    ${EndIf}
  ${EndIf}
  DetailPrint "asio-driver ${ARGUMENTS}: $R8"
!macroend

; A service command; 0 in $R8 when the installed version has no such commands.
!macro RunService ARGUMENTS
  !insertmacro RunDriver "service status"
  ${If} $R8 != ${UNKNOWN_COMMAND}
    !insertmacro RunDriver "service ${ARGUMENTS}"
  ${Else}
    DetailPrint "SKIPPED: this version has no command 'service ${ARGUMENTS}'."
    StrCpy $R9 "Skipped: this version has no command 'service ${ARGUMENTS}'."
    !insertmacro Note
    StrCpy $R8 0
  ${EndIf}
!macroend

; Appends $R9 to the log file.
!macro Note
  ${If} $LogFile != ""
    ClearErrors
    FileOpen $R7 "$LogFile" a
    ${IfNot} ${Errors}
      FileSeek $R7 0 END
      FileWriteUTF16LE $R7 "$R9$\r$\n"
      FileClose $R7
    ${EndIf}
  ${EndIf}
!macroend

; Deletes a file. In use, it gets a name that nobody will ever look for, and goes when it can: a
; deletion that Windows remembers must not hit a file that was installed meanwhile. What can not even
; be renamed stays: who needs to know looks.
!macro Discard UN FILE
  Push "${FILE}"
  Call ${UN}DiscardFile
!macroend

!macro RegisterIn VIEW DLL
  SetRegView ${VIEW}
  WriteRegStr HKLM "${CLASS_KEY}" "" "${DRIVER_NAME}"
  WriteRegStr HKLM "${CLASS_KEY}\InprocServer32" "" "${DLL}"
  WriteRegStr HKLM "${CLASS_KEY}\InprocServer32" "ThreadingModel" "Both"
  WriteRegStr HKLM "${HOSTS_KEY}\${DRIVER_NAME}" "CLSID" "${CLASS_ID}"
  WriteRegStr HKLM "${HOSTS_KEY}\${DRIVER_NAME}" "Description" "${DRIVER_NAME}"
  SetRegView 64
!macroend

; Our own keys and no others; the common one only when we were the last in it.
!macro UnregisterIn VIEW
  SetRegView ${VIEW}
  ReadRegStr $R1 HKLM "${HOSTS_KEY}\${DRIVER_NAME}" "CLSID"
  ${If} $R1 == "${CLASS_ID}"
    DeleteRegKey HKLM "${HOSTS_KEY}\${DRIVER_NAME}"
  ${EndIf}
  DeleteRegKey HKLM "${CLASS_KEY}"
  DeleteRegKey /ifempty HKLM "${HOSTS_KEY}"
  SetRegView 64
!macroend

!macro Unregister
  !insertmacro UnregisterIn 32
  !insertmacro UnregisterIn 64
!macroend

; --- other drivers' registrations -----------------------------------------------------------------

; Notes every value below SOFTWARE\ASIO but our own, numbered from 0, in the section asioVIEW. In
; quotes: Windows takes one pair off, and would else take a value's own, and the blanks around it.
!macro SnapshotIn VIEW
  SetRegView ${VIEW}
  StrCpy $R0 0 ; key
  StrCpy $R5 0 ; note
  ${Do}
    EnumRegKey $R1 HKLM "${HOSTS_KEY}" $R0
    ${If} $R1 == ""
      ${ExitDo}
    ${EndIf}
    IntOp $R0 $R0 + 1
    ${If} $R1 == "${DRIVER_NAME}"
      ${Continue}
    ${EndIf}
    StrCpy $R2 0 ; value
    ${Do}
      ClearErrors
      EnumRegValue $R3 HKLM "${HOSTS_KEY}\$R1" $R2
      ${If} ${Errors}
        ${ExitDo}
      ${EndIf}
      IntOp $R2 $R2 + 1
      ClearErrors
      ReadRegStr $R4 HKLM "${HOSTS_KEY}\$R1" $R3
      ${IfNot} ${Errors}
        WriteINIStr "${JOURNAL}" "asio${VIEW}" "key$R5" '"$R1"'
        WriteINIStr "${JOURNAL}" "asio${VIEW}" "name$R5" '"$R3"'
        WriteINIStr "${JOURNAL}" "asio${VIEW}" "text$R5" '"$R4"'
        IntOp $R5 $R5 + 1
      ${EndIf}
      ${If} $R2 > 100
        ${ExitDo}
      ${EndIf}
    ${Loop}
    ${If} $R0 > 1000
      ${ExitDo}
    ${EndIf}
  ${Loop}
  SetRegView 64
!macroend

; Writes again what vanished since.
!macro RestoreIn VIEW
  SetRegView ${VIEW}
  StrCpy $R0 0
  ${Do}
    ReadINIStr $R1 "${JOURNAL}" "asio${VIEW}" "key$R0"
    ${If} $R1 == ""
      ${ExitDo}
    ${EndIf}
    ReadINIStr $R3 "${JOURNAL}" "asio${VIEW}" "name$R0"
    ClearErrors
    ReadRegStr $R4 HKLM "${HOSTS_KEY}\$R1" $R3
    ${If} ${Errors}
      ReadINIStr $R4 "${JOURNAL}" "asio${VIEW}" "text$R0"
      WriteRegStr HKLM "${HOSTS_KEY}\$R1" $R3 $R4
      StrCpy $R9 "The registration of $R1 (${VIEW} bit) had vanished and was restored."
      !insertmacro Note
    ${EndIf}
    IntOp $R0 $R0 + 1
  ${Loop}
  SetRegView 64
!macroend

; --- steps of the exchange, for one file ----------------------------------------------------------

!macro NoteOne FILE
  ${If} ${FileExists} "$INSTDIR\${FILE}"
    WriteINIStr "${JOURNAL}" "had" "${FILE}" "1"
  ${Else}
    WriteINIStr "${JOURNAL}" "had" "${FILE}" "0"
  ${EndIf}
!macroend

!macro MoveOne FILE
  ${If} $Failure == ""
    !insertmacro FaultPoint
  ${EndIf}
  ${If} $Failure == ""
  ${AndIf} ${FileExists} "$INSTDIR\${FILE}"
    ClearErrors
    Rename "$INSTDIR\${FILE}" "$INSTDIR\outgoing\${FILE}"
    ${If} ${Errors}
      StrCpy $Failure "$INSTDIR\${FILE} is in use in a way that keeps it from being replaced."
    ${EndIf}
  ${EndIf}
  ${If} $Failure == ""
  ${AndIf} ${FileExists} "$INSTDIR\incoming\${FILE}"
    ClearErrors
    Rename "$INSTDIR\incoming\${FILE}" "$INSTDIR\${FILE}"
    ${If} ${Errors}
      StrCpy $Failure "$INSTDIR\${FILE} could not be put in place."
    ${EndIf}
  ${EndIf}
!macroend

!macro DropOne FILE
  !insertmacro Discard "${UN}" "$INSTDIR\incoming\${FILE}"
!macroend

!macro MoveBackOne FILE
  ReadINIStr $R1 "${JOURNAL}" "had" "${FILE}"
  ${If} $R1 == "0"
    !insertmacro Discard "${UN}" "$INSTDIR\${FILE}"
    ${If} ${FileExists} "$INSTDIR\${FILE}"
      StrCpy $R6 "stuck"
    ${EndIf}
  ${ElseIf} ${FileExists} "$INSTDIR\outgoing\${FILE}"
    !insertmacro Discard "${UN}" "$INSTDIR\${FILE}"
    ClearErrors
    Rename "$INSTDIR\outgoing\${FILE}" "$INSTDIR\${FILE}"
    ${If} ${Errors}
      StrCpy $R9 "$INSTDIR\${FILE} could not be put back; it lies in $INSTDIR\outgoing."
      !insertmacro Note
      StrCpy $R6 "stuck"
    ${EndIf}
  ${EndIf}
!macroend

; What is in previous gives way only to what takes its place: when this runs once more after a crash,
; the files that have left outgoing are the previous version already. A version that lacks a file is
; none ($R5 is then "lost").
!macro TidyOne FILE
  !insertmacro Discard "${UN}" "$INSTDIR\incoming\${FILE}"
  ${If} $R5 == "1"
    ReadINIStr $R1 "${JOURNAL}" "had" "${FILE}"
    ${If} $R1 == "0"
      !insertmacro Discard "${UN}" "$INSTDIR\previous\${FILE}"
    ${ElseIf} ${FileExists} "$INSTDIR\outgoing\${FILE}"
      !insertmacro Discard "${UN}" "$INSTDIR\previous\${FILE}"
      ClearErrors
      Rename "$INSTDIR\outgoing\${FILE}" "$INSTDIR\previous\${FILE}"
      ${If} ${Errors}
        StrCpy $R5 "lost"
      ${EndIf}
    ${EndIf}
  ${EndIf}
  !insertmacro Discard "${UN}" "$INSTDIR\outgoing\${FILE}"
!macroend

; Without a journal nobody knows whose files are in outgoing: they fill gaps, and the rest goes.
!macro FillGapOne FILE
  ${If} ${FileExists} "$INSTDIR\outgoing\${FILE}"
    ${IfNot} ${FileExists} "$INSTDIR\${FILE}"
      ClearErrors
      Rename "$INSTDIR\outgoing\${FILE}" "$INSTDIR\${FILE}"
      ${If} ${Errors}
        StrCpy $Failure "$INSTDIR\outgoing\${FILE} is in use. Restart Windows, and try again."
      ${EndIf}
    ${Else}
      !insertmacro Discard "${UN}" "$INSTDIR\outgoing\${FILE}"
    ${EndIf}
  ${EndIf}
!macroend

; --- functions, once for the setup and once for the uninstaller -----------------------------------

!macro Transaction UN_PREFIX
!define UN "${UN_PREFIX}"

; Says $R9, gives up the lock, and ends with $ExitCode.
Function ${UN}Refuse
  !insertmacro Note
  MessageBox MB_OK|MB_ICONSTOP "$R9" /SD IDOK
  SetErrorLevel $ExitCode
  Quit
FunctionEnd

Function ${UN}DiscardFile
  Exch $R8
  Push $R9
  ${If} ${FileExists} "$R8"
    ClearErrors
    Delete "$R8"
    ${If} ${Errors}
      CreateDirectory "$INSTDIR\discarded"
      GetTempFileName $R9 "$INSTDIR\discarded"
      ClearErrors
      Delete "$R9" ; the name is what was wanted
      ${IfNot} ${Errors}
        Rename "$R8" "$R9"
      ${EndIf}
      ${IfNot} ${Errors}
        Delete /REBOOTOK "$R9"
      ${EndIf}
    ${EndIf}
  ${EndIf}
  Pop $R9
  Pop $R8
FunctionEnd

; Takes the lock, brings a setup that was cut short to an end, and notes what there is.
Function ${UN}Begin
  !ifdef FAULTS
    StrCpy $Fault 0
  !endif
  ClearErrors
  CreateDirectory "$INSTDIR"
  ${If} ${Errors}
    StrCpy $Failure "$INSTDIR could not be made. Run this program as an administrator."
    Return
  ${EndIf}
  !ifdef FAULTS
    ${GetParameters} $R0
    ClearErrors
    ${GetOptions} $R0 "/LOCKED" $R1
    ${IfNot} ${Errors}
      FileOpen $R1 "$INSTDIR\setup.lock" w ; as another setup would
    ${EndIf}
  !endif
  ClearErrors
  FileOpen $Lock "$INSTDIR\setup.lock" w
  ${If} ${Errors}
    StrCpy $Failure "Another setup of ${PRODUCT_NAME} is running. Wait until it has ended."
    StrCpy $ExitCode ${BUSY}
    Return
  ${EndIf}
  ReadINIStr $R1 "${JOURNAL}" "journal" "state"
  ; Whatever was written last may not have reached the disk. When the old set is being kept already,
  ; the new one is final, and going back would mix the two.
  ReadINIStr $R2 "${JOURNAL}" "journal" "keep"
  ReadINIStr $R3 "${JOURNAL}" "journal" "version"
  ReadINIStr $R4 "$INSTDIR\previous\previous.ini" "previous" "version"
  ${If} $R1 == "exchanging"
  ${AndIf} $R2 == "1"
  ${AndIf} $R3 == $R4
    StrCpy $R1 "final"
  ${EndIf}
  ${If} $R1 == "exchanging"
    Call ${UN}MoveBack
    ; What the journal knew is what was installed before the crash.
    ReadRegStr $OldVersion HKLM "${UNINSTALL_KEY}" "DisplayVersion"
    ReadRegStr $OldMode HKLM "${UNINSTALL_KEY}" "StartMode"
    ${If} $R6 == "stuck"
      DeleteINISec "${JOURNAL}" "asio32" ; who has been removed since stays so
      DeleteINISec "${JOURNAL}" "asio64"
      StrCpy $Failure "A setup that was cut short cannot be undone while its files are in use. \
        Restart Windows, and try again."
      Return
    ${EndIf}
  ${ElseIf} $R1 == "final"
    Call ${UN}Tidy
  ${Else}
    !insertmacro EachFile FillGapOne
    ${If} $Failure != ""
      Return
    ${EndIf}
  ${EndIf}
  ClearErrors
  Delete "${JOURNAL}"
  ${If} ${Errors}
    StrCpy $Failure "${JOURNAL} could not be replaced."
    Return
  ${EndIf}
  Delete "$INSTDIR\discarded\*.tmp" ; of earlier runs; those still in use stay
  ClearErrors
  CreateDirectory "$INSTDIR\x86"
  CreateDirectory "$INSTDIR\incoming\x86"
  CreateDirectory "$INSTDIR\outgoing\x86"
  CreateDirectory "$INSTDIR\previous\x86"
  ; The byte order mark makes Windows keep other alphabets.
  FileOpen $R1 "${JOURNAL}" w
  FileWriteUTF16LE /BOM $R1 "[journal]$\r$\nproduct=${PRODUCT_ID}$\r$\n"
  FileClose $R1
  ${If} ${Errors}
    StrCpy $Failure "The journal ${JOURNAL} could not be written. Is the disk full?"
  ${EndIf}
  !insertmacro SnapshotIn 32
  !insertmacro SnapshotIn 64
FunctionEnd

; From "files are in incoming" to "they are installed", or everything back.
Function ${UN}Exchange
  StrCpy $Keep 1
  ${If} $OldVersion == ""
  ${OrIf} $OldVersion == $NewVersion ; repair: the version before stays the one before
    StrCpy $Keep 0
  ${EndIf}
  ${If} $Failure == ""
    !insertmacro EachFile NoteOne
    WriteINIStr "${JOURNAL}" "journal" "version" "$OldVersion"
    WriteINIStr "${JOURNAL}" "journal" "mode" "$OldMode"
    WriteINIStr "${JOURNAL}" "journal" "keep" "$Keep"
    ClearErrors
    WriteINIStr "${JOURNAL}" "journal" "state" "exchanging"
    ${If} ${Errors}
      StrCpy $Failure "The journal ${JOURNAL} could not be written. Is the disk full?"
    ${EndIf}
    FlushINI "${JOURNAL}" ; sets the error flag whatever happens
  ${EndIf}
  !insertmacro EachFile MoveOne
  ${If} $Failure == ""
    Call ${UN}Announce
  ${EndIf}
  ${If} $Failure != ""
    ReadINIStr $R1 "${JOURNAL}" "journal" "state"
    ${If} $R1 == "exchanging"
      Call ${UN}MoveBack
    ${Else}
      Call ${UN}DropIncoming
    ${EndIf}
    Return
  ${EndIf}
  WriteINIStr "${JOURNAL}" "journal" "state" "final"
  FlushINI "${JOURNAL}"
  Call ${UN}Tidy
  StrCpy $ExitCode ${OK}
FunctionEnd

; Registers what is in place and starts it. Hosts that play hear silence until the new service
; answers: their driver finds it by itself.
Function ${UN}Announce
  !insertmacro RunDriver "--version"
  ${If} $R8 != 0
    StrCpy $Failure "The new version does not run on this machine (code $R8)."
    Return
  ${EndIf}
  !insertmacro FaultPoint
  !ifdef FAULTS
    ${GetParameters} $R0
    ClearErrors
    ${GetOptions} $R0 "/VANISH" $R1
    ${IfNot} ${Errors} ; what another program might do meanwhile
      DeleteRegKey HKLM "${HOSTS_KEY}\Foreign"
    ${EndIf}
  !endif
  ClearErrors
  !insertmacro RegisterIn 32 "$INSTDIR\x86\asio-driver.dll"
  !insertmacro RegisterIn 64 "$INSTDIR\asio-driver.dll"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayName" "${PRODUCT_NAME}"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayVersion" "$NewVersion"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\asio-driver.exe"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "Publisher" "${COMPANY}"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKLM "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKLM "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegStr HKLM "${UNINSTALL_KEY}" "StartMode" "$Mode"
  WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoRepair" 1
  ${If} ${Errors}
    StrCpy $Failure "The driver could not be registered. Run this program as an administrator."
    Return
  ${EndIf}
  !insertmacro FaultPoint
  ${If} $Failure == ""
    !insertmacro RunService "install --start $Mode"
    ${If} $R8 != 0
      StrCpy $Failure "The service could not be installed (code $R8)."
    ${EndIf}
  ${EndIf}
  !insertmacro FaultPoint
  ${If} $Failure == ""
    ${If} $OldVersion != ""
      StrCpy $R4 $Mode
      Call ${UN}Restart
    ${ElseIf} $Mode == "machine"
      !insertmacro RunService "start"
    ${EndIf}
  ${EndIf}
FunctionEnd

; Whoever serves ends, and the version in place takes over. The mode is in $R4. First who serves in
; this session, service or agent: programs that play start a new agent. Then the services, which may
; be those of other sessions, too. That nobody serves is fine.
Function ${UN}Restart
  !insertmacro RunDriver "stop"
  ${If} $R4 != "off"
    !insertmacro RunDriver "service status"
    ${If} $R8 != ${UNKNOWN_COMMAND}
      !insertmacro RunDriver "service restart"
    ${EndIf}
  ${EndIf}
FunctionEnd

Function ${UN}DropIncoming
  !insertmacro EachFile DropOne
FunctionEnd

; Puts the old version back, or removes the new one when there was none.
Function ${UN}MoveBack
  ReadINIStr $R3 "${JOURNAL}" "journal" "version"
  ReadINIStr $R4 "${JOURNAL}" "journal" "mode"
  ${If} $R3 == ""
    !insertmacro RunService "remove"
    !insertmacro RunDriver "stop"
  ${EndIf}
  StrCpy $R6 ""
  !insertmacro EachFile MoveBackOne
  ${If} $R3 == ""
    !insertmacro Unregister
    DeleteRegKey HKLM "${UNINSTALL_KEY}"
  ${Else}
    WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayVersion" "$R3"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "StartMode" "$R4"
    !insertmacro RunService "install --start $R4"
    Call ${UN}Restart
  ${EndIf}
  StrCpy $R5 0
  ${If} $R6 == ""
    Call ${UN}TidyFiles
  ${EndIf}
FunctionEnd

; After the point of no return: the old version becomes the previous one.
Function ${UN}Tidy
  ReadINIStr $R5 "${JOURNAL}" "journal" "keep"
  ${If} $R5 == "1"
    ReadINIStr $R3 "${JOURNAL}" "journal" "version"
    CreateDirectory "$INSTDIR\previous\x86"
    WriteINIStr "$INSTDIR\previous\previous.ini" "previous" "version" "$R3"
    FlushINI "$INSTDIR\previous\previous.ini"
  ${EndIf}
  Call ${UN}TidyFiles
  ${If} $R5 == "lost"
    Delete "$INSTDIR\previous\previous.ini"
    StrCpy $R9 "The version before could not be kept: there is none to return to."
    !insertmacro Note
  ${EndIf}
FunctionEnd

Function ${UN}TidyFiles
  !insertmacro EachFile TidyOne
FunctionEnd

; Restores what others lost meanwhile, tidies up, and says how it ended.
Function ${UN}Finish
  ${If} $ExitCode != ${BUSY}
    !insertmacro RestoreIn 32
    !insertmacro RestoreIn 64
    ${If} $R6 != "stuck" ; else the journal is what brings it to an end
      Delete "${JOURNAL}"
    ${EndIf}
    SetOutPath "$PROGRAMFILES64" ; a working directory cannot be removed
    RMDir "$INSTDIR\incoming\x86"
    RMDir "$INSTDIR\incoming"
    RMDir "$INSTDIR\outgoing\x86"
    RMDir "$INSTDIR\outgoing"
    RMDir "$INSTDIR\previous\x86"
    RMDir "$INSTDIR\previous"
    RMDir "$INSTDIR\discarded"
    RMDir "$INSTDIR\x86"
    FileClose $Lock ; not before: journal and folders would be those of the next who takes it
    Delete "$INSTDIR\setup.lock"
    RMDir "$INSTDIR" ; each only when it is empty
  ${EndIf}
  ${If} $ExitCode == ${OK}
  ${AndIf} ${FileExists} "$INSTDIR\discarded\*.tmp"
  ${AndIfNot} ${FileExists} "$INSTDIR\asio-driver.exe" ; removed, but for what programs still hold
    StrCpy $ExitCode ${REBOOT}
    RMDir /REBOOTOK "$INSTDIR\discarded" ; after its files, and only when it is empty by then
    RMDir /REBOOTOK "$INSTDIR"
  ${EndIf}
  ${If} $Failure != ""
    StrCpy $R9 "$Failure"
    Call ${UN}Refuse
  ${EndIf}
  SetErrorLevel $ExitCode
FunctionEnd

!undef UN
!macroend
