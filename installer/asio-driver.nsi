; The setup program. tools/release/setup.py compiles it and defines:
;   PRODUCT_NAME PRODUCT_ID DRIVER_NAME CLASS_ID COMPANY VERSION START_MODE   the profile's
;   STAGE     the folder of the files, signed; VENDOR_TOML when there is one in it
;   OUT SIGN  the setup's file; the command that signs one (installer and uninstaller)
;   ICON      optional; FAULTS only for tests: /FAULT=n fails on purpose at the n-th point, /VANISH
;             takes another driver's registration away, /LOCKED is a setup that runs already
; Switches and exit codes: docs/installation.md. The transaction is in transaction.nsh.
;
; No plug-in is used: plug-ins are unpacked into a temporary folder, and this NSIS does not yet guard
; that folder against other programs of the user (fixed in 3.11 and 3.12). No program is run but ours.
Target amd64-unicode
!ifdef QUICK
  SetCompress off
!else
  SetCompressor /SOLID lzma
!endif
SetDateSave off ; the same sources give the same setup
CRCCheck force
RequestExecutionLevel admin
ManifestSupportedOS Win10
ShowInstDetails show
ShowUninstDetails show
AllowSkipFiles off
SetOverwrite try ; a failure sets the error flag instead of asking

!include LogicLib.nsh
!include Sections.nsh
!include FileFunc.nsh
!include WordFunc.nsh

!define UNINSTALL_KEY "SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\${PRODUCT_ID}"
!define HOSTS_KEY "SOFTWARE\ASIO"
!define CLASS_KEY "SOFTWARE\Classes\CLSID\${CLASS_ID}"

; Exit codes: Windows' own where it has one.
!define OK 0
!define CANCELLED 1602     ; by the person, before anything was done
!define FAILED 1603        ; undone: everything is as before
!define BUSY 1618          ; another setup of this product runs
!define PLATFORM 1633      ; not for this processor
!define NEWER 1638         ; a newer version is installed
!define ARGUMENT 1639      ; a switch or the folder is not accepted
!define REBOOT 3010        ; done; files in use vanish with the next start of Windows

!searchreplace NAME_IN_DIALOGS "${PRODUCT_NAME}" "&" "&&"
Name "${PRODUCT_NAME}" "${NAME_IN_DIALOGS}"
Caption "${PRODUCT_NAME} ${VERSION}"
OutFile "${OUT}"
InstallDir "$PROGRAMFILES64\${PRODUCT_ID}"
BrandingText "${PRODUCT_NAME} ${VERSION}"
!ifdef ICON
  Icon "${ICON}"
  UninstallIcon "${ICON}"
!endif
!finalize '${SIGN} "%1"' = 0
!uninstfinalize '${SIGN} "%1"' = 0

VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "${PRODUCT_NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${PRODUCT_NAME}: setup"
VIAddVersionKey "CompanyName" "${COMPANY}"
VIAddVersionKey "LegalCopyright" "Apache-2.0"

Var Failure    ; a sentence; empty while all is well
Var ExitCode
Var LogFile    ; of /LOG=; empty: none
Var Lock       ; an open file: one setup at a time
Var Mode       ; start mode
Var OldMode    ; the start mode before
Var OldVersion ; the version before; empty: none is installed
Var NewVersion ; the version that this run puts in place
Var Keep       ; 1: what is replaced becomes the previous version
!ifdef FAULTS
  Var FaultAt ; of /FAULT=
  Var Fault   ; points passed
!endif

Page components
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

ComponentText "Who starts the audio service? It can be changed later: asio-driver service set-start." "" \
  "Start of the service:"

!include "${__FILEDIR__}/transaction.nsh"
!insertmacro Transaction ""
!insertmacro Transaction "un."

; --- sections: the start mode, and the work -------------------------------------------------------

Section "When a program needs it" ModeDemand
SectionEnd
Section /o "When you sign in" ModeLogon
SectionEnd
Section /o "With the machine, before anybody signs in" ModeMachine
SectionEnd
Section /o "Nobody: it is switched off, and programs are told so" ModeOff
SectionEnd

Function .onSelChange
  !insertmacro StartRadioButtons $1
    !insertmacro RadioButton ${ModeDemand}
    !insertmacro RadioButton ${ModeLogon}
    !insertmacro RadioButton ${ModeMachine}
    !insertmacro RadioButton ${ModeOff}
  !insertmacro EndRadioButtons
FunctionEnd

!macro SelectMode NAME SECTION
  ${If} $Mode == "${NAME}"
    !insertmacro SelectSection ${SECTION}
    StrCpy $1 ${SECTION}
  ${Else}
    !insertmacro UnselectSection ${SECTION}
  ${EndIf}
!macroend

!macro SelectedMode NAME SECTION
  ${If} ${SectionIsSelected} ${SECTION}
    StrCpy $Mode "${NAME}"
  ${EndIf}
!macroend

Section "-work"
  !insertmacro SelectedMode "demand" ${ModeDemand}
  !insertmacro SelectedMode "logon" ${ModeLogon}
  !insertmacro SelectedMode "machine" ${ModeMachine}
  !insertmacro SelectedMode "off" ${ModeOff}
  StrCpy $ExitCode ${FAILED}
  SetErrorLevel ${FAILED} ; for whatever ends the setup without a word
  Call MakeFolder
  ${If} $Failure == ""
    Call Begin
  ${EndIf}
  ${If} $ExitCode == ${BUSY}
    Call Finish
  ${EndIf}
  ${If} $Failure == ""
    Call Unpack
  ${EndIf}
  Call Exchange
  Call Finish
SectionEnd

Function .onUserAbort
  SetErrorLevel ${CANCELLED}
FunctionEnd

Function un.onUserAbort
  SetErrorLevel ${CANCELLED}
FunctionEnd

; A file that cannot be written to its end, on a full disk, ends the section from within.
Function .onInstFailed
  ${If} $Failure == ""
    StrCpy $Failure "The files could not be written to $INSTDIR. Is the disk full?"
    Call Exchange
    Call Finish
  ${EndIf}
FunctionEnd

; An empty folder may have been given any rights, or be a link to where others have some. One that is
; made anew has those of Program Files.
Function MakeFolder
  ${DirState} "$INSTDIR" $R1 ; 0: it is empty
  ${If} $R1 == 0
    ClearErrors
    RMDir "$INSTDIR"
    ${If} ${Errors}
      StrCpy $Failure "$INSTDIR is empty and cannot be made anew, which takes away rights that \
        others may have in it. Close the programs that use it, or remove it."
    ${EndIf}
  ${EndIf}
FunctionEnd

; Puts the new files beside the old ones. Nothing that is installed changes yet.
Function Unpack
  !insertmacro FaultPoint
  ClearErrors
  SetOutPath "$INSTDIR\incoming\x86"
  File "${STAGE}\x86\asio-driver.dll"
  File "${STAGE}\x86\asio-host.exe"
  SetOutPath "$INSTDIR\incoming"
  File "${STAGE}\asio-driver.exe"
  File "${STAGE}\asio-host.exe"
  File "${STAGE}\asio-driver.dll"
  File "${STAGE}\SHA256SUMS"
  File "${STAGE}\bom.cdx.json"
  File "${STAGE}\notices.txt"
  !ifdef VENDOR_TOML
    File "${STAGE}\vendor.toml"
  !endif
  WriteUninstaller "$INSTDIR\incoming\uninstall.exe"
  ${If} ${Errors}
    StrCpy $Failure "The files could not be written to $INSTDIR. Is the disk full?"
  ${EndIf}
  SetOutPath "$INSTDIR"
FunctionEnd

; --- before anything happens ----------------------------------------------------------------------

Function .onInit
  Call ReadSwitches
  SetRegView 64
  Call CheckPlatform
  Call CheckVersion
  Call CheckFolder
  Call CheckNames
  !insertmacro SelectMode "demand" ${ModeDemand}
  !insertmacro SelectMode "logon" ${ModeLogon}
  !insertmacro SelectMode "machine" ${ModeMachine}
  !insertmacro SelectMode "off" ${ModeOff}
FunctionEnd

; The mode: /START=, else what is installed, else the product's own.
Function ReadSwitches
  StrCpy $NewVersion "${VERSION}"
  StrCpy $Mode "${START_MODE}"
  SetRegView 64
  ReadRegStr $OldMode HKLM "${UNINSTALL_KEY}" "StartMode"
  ${If} $OldMode != ""
    StrCpy $Mode $OldMode
  ${EndIf}
  ${GetParameters} $R0
  !insertmacro ReadCommonSwitches
  ClearErrors
  ${GetOptions} $R0 "/START=" $R1
  ${IfNot} ${Errors}
    StrCpy $Mode $R1
  ${EndIf}
  ${If} $Mode != "demand"
  ${AndIf} $Mode != "logon"
  ${AndIf} $Mode != "machine"
  ${AndIf} $Mode != "off"
    StrCpy $R9 "/START=$Mode is not accepted. Give one of demand, logon, machine, off."
    StrCpy $ExitCode ${ARGUMENT}
    Call Refuse
  ${EndIf}
FunctionEnd

; This setup is a 64-bit program, which a 32-bit Windows refuses by itself. What is left are
; processors whose Windows runs it and whose programs could not load the driver.
Function CheckPlatform
  ReadRegStr $R1 HKLM "SYSTEM\CurrentControlSet\Control\Session Manager\Environment" \
    "PROCESSOR_ARCHITECTURE"
  ${If} $R1 != "AMD64"
  ${AndIf} $R1 != ""
    StrCpy $R9 "${PRODUCT_NAME} is for 64-bit Windows on Intel and AMD processors; this one is $R1."
    StrCpy $ExitCode ${PLATFORM}
    Call Refuse
  ${EndIf}
FunctionEnd

Function CheckVersion
  ReadRegStr $OldVersion HKLM "${UNINSTALL_KEY}" "DisplayVersion"
  ${If} $OldVersion == ""
    Return
  ${EndIf}
  ${VersionCompare} "$OldVersion" "${VERSION}" $R1 ; 1: the installed one is newer
  ${If} $R1 == 1
    ${GetParameters} $R0
    ClearErrors
    ${GetOptions} $R0 "/DOWNGRADE" $R1
    ${If} ${Errors}
      StrCpy $R9 "Version $OldVersion is installed, which is newer than ${VERSION}. Run this setup \
        with /DOWNGRADE to replace it all the same."
      StrCpy $ExitCode ${NEWER}
      Call Refuse
    ${EndIf}
  ${EndIf}
FunctionEnd

; Ordinary users can write to most folders outside Program Files, and whoever can write to the
; driver's folder runs code inside every audio program. So the folder lies in Program Files.
Function CheckFolder
  ReadRegStr $R1 HKLM "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $R1 != ""
  ${AndIf} $R1 != $INSTDIR
    ${If} $INSTDIR == "$PROGRAMFILES64\${PRODUCT_ID}" ; nobody chose it
      StrCpy $INSTDIR $R1
    ${Else}
      StrCpy $R9 "${PRODUCT_NAME} is installed in $R1. Remove it before you install it elsewhere."
      StrCpy $ExitCode ${ARGUMENT}
      Call Refuse
    ${EndIf}
  ${EndIf}
  StrCpy $R5 $R1
  StrLen $R1 "$PROGRAMFILES64\"
  StrCpy $R2 $INSTDIR $R1
  StrCpy $R3 $INSTDIR "" $R1
  ${WordFind} "$INSTDIR" ".." "E+1{" $R4 ; the error flag says that there is none
  ${IfNot} ${Errors}
    StrCpy $R3 ""
  ${EndIf}
  ${If} $R2 != "$PROGRAMFILES64\"
  ${OrIf} $R3 == ""
    StrCpy $R9 "$INSTDIR is not accepted: users may write to folders outside $PROGRAMFILES64, and \
      with them to every program that plays sound. Choose a folder in $PROGRAMFILES64."
    StrCpy $ExitCode ${ARGUMENT}
    Call Refuse
  ${EndIf}
  ; Whoever may rename a folder on the way to ours may put another one in its place.
  ${GetParent} "$INSTDIR" $R4
  ${If} $R5 == ""
  ${AndIf} $R4 != "$PROGRAMFILES64"
    StrCpy $R9 "$INSTDIR is not accepted: other programs may have given users rights to $R4. Choose a \
      folder that lies in $PROGRAMFILES64 itself."
    StrCpy $ExitCode ${ARGUMENT}
    Call Refuse
  ${EndIf}
  ; Another program's files may have the names of ours, and its folder the rights that it gave away.
  ${DirState} "$INSTDIR" $R4 ; 1: something is in it
  ReadINIStr $R3 "${JOURNAL}" "journal" "product" ; of a first setup that was cut short
  ${If} $R4 == 1
  ${AndIf} $R5 == ""
  ${AndIf} $R3 != "${PRODUCT_ID}"
  ${AndIf} $INSTDIR != "$PROGRAMFILES64\${PRODUCT_ID}"
    StrCpy $R9 "$INSTDIR is not accepted: it holds files of other programs. Choose a new folder."
    StrCpy $ExitCode ${ARGUMENT}
    Call Refuse
  ${EndIf}
FunctionEnd

; Another driver of this name is not ours to replace.
!macro CheckName VIEW
  SetRegView ${VIEW}
  ReadRegStr $R1 HKLM "${HOSTS_KEY}\${DRIVER_NAME}" "CLSID"
  ${If} $R1 != ""
  ${AndIf} $R1 != "${CLASS_ID}"
    SetRegView 64
    StrCpy $R9 "Another driver named ${DRIVER_NAME} is installed, of the class $R1. Remove it first."
    StrCpy $ExitCode ${ARGUMENT}
    Call Refuse
  ${EndIf}
  SetRegView 64
!macroend

Function CheckNames
  !insertmacro CheckName 32
  !insertmacro CheckName 64
FunctionEnd

; --- removal --------------------------------------------------------------------------------------

Function un.onInit
  SetRegView 64
  ${GetParameters} $R0
  !insertmacro ReadCommonSwitches
  ReadRegStr $OldVersion HKLM "${UNINSTALL_KEY}" "DisplayVersion"
  ReadRegStr $OldMode HKLM "${UNINSTALL_KEY}" "StartMode"
  ReadRegStr $R1 HKLM "${UNINSTALL_KEY}" "InstallLocation"
  StrCpy $Mode $OldMode
  ${If} $R1 == ""
  ${OrIf} $R1 != $INSTDIR
    StrCpy $R9 "${PRODUCT_NAME} is not installed in $INSTDIR; nothing was changed."
    StrCpy $ExitCode ${ARGUMENT}
    Call un.Refuse
  ${EndIf}
FunctionEnd

Section "un.work"
  StrCpy $ExitCode ${FAILED}
  SetErrorLevel ${FAILED}
  Call un.Begin
  ${If} $ExitCode == ${BUSY}
    Call un.Finish
  ${EndIf}
  ${GetParameters} $R0
  ClearErrors
  ${GetOptions} $R0 "/ROLLBACK" $R1
  ${IfNot} ${Errors}
    ${If} $Failure == ""
      Call un.TakePrevious
    ${EndIf}
    Call un.Exchange
  ${Else}
    ${If} $Failure == ""
      Call un.Remove
    ${EndIf}
  ${EndIf}
  Call un.Finish
SectionEnd

; Copies the previous version to where new files come from. It stays until the exchange is done.
!macro TakeOne FILE
  ${If} ${FileExists} "$INSTDIR\previous\${FILE}"
    ClearErrors
    CopyFiles /SILENT "$INSTDIR\previous\${FILE}" "$INSTDIR\incoming\${FILE}"
    ${If} ${Errors}
      StrCpy $Failure "$INSTDIR\previous\${FILE} could not be copied."
    ${EndIf}
  ${EndIf}
!macroend

Function un.TakePrevious
  ReadINIStr $NewVersion "$INSTDIR\previous\previous.ini" "previous" "version"
  ${If} $NewVersion == ""
    StrCpy $Failure "There is no previous version in $INSTDIR to return to."
    Return
  ${EndIf}
  CreateDirectory "$INSTDIR\incoming\x86"
  !insertmacro EachFile TakeOne
FunctionEnd

; The first that cannot go ends the removal: uninstall.exe, the last, stays for the next attempt.
!macro RemoveOne FILE
  ${If} $Failure == ""
    !insertmacro Discard "un." "$INSTDIR\previous\${FILE}"
    !insertmacro Discard "un." "$INSTDIR\${FILE}"
    ${If} ${FileExists} "$INSTDIR\previous\${FILE}"
    ${OrIf} ${FileExists} "$INSTDIR\${FILE}"
      StrCpy $Failure "${FILE} in $INSTDIR is in use in a way that keeps it from being removed."
    ${EndIf}
  ${EndIf}
!macroend

; Safe to run again after a failure: what is gone already is no error.
Function un.Remove
  !insertmacro RunService "remove"
  ${If} $R8 != 0 ; also when the program is gone or damaged, and then nothing may be left to remove
    ReadRegStr $R1 HKLM "SYSTEM\CurrentControlSet\Services\${PRODUCT_ID}" "ImagePath"
    ${If} $R1 != ""
      StrCpy $Failure "The service could not be removed (code $R8). Close the list of services, and \
        try again. If asio-driver.exe is missing, run this version's setup first."
      Return
    ${EndIf}
  ${EndIf}
  ; Programs that play start a service anew as soon as one ends: its file leaves their way first.
  ${If} ${FileExists} "$INSTDIR\asio-driver.exe"
    ClearErrors
    Rename "$INSTDIR\asio-driver.exe" "$INSTDIR\outgoing\asio-driver.exe"
    ${If} ${Errors}
      StrCpy $Failure "$INSTDIR\asio-driver.exe is in use in a way that keeps it from being removed."
      Return
    ${EndIf}
  ${EndIf}
  ${If} ${FileExists} "$INSTDIR\outgoing\asio-driver.exe"
    ExecWait '"$INSTDIR\outgoing\asio-driver.exe" stop' $R8
    !insertmacro Discard "un." "$INSTDIR\outgoing\asio-driver.exe"
  ${EndIf}
  !insertmacro Unregister
  Delete "$INSTDIR\previous\previous.ini"
  Delete "$INSTDIR\rollback.exe" ; of a rollback that did not come to its end
  Delete "$INSTDIR\rollback.log"
  !insertmacro EachFile RemoveOne
  ${If} $Failure != ""
    Return
  ${EndIf}
  DeleteRegKey HKLM "${UNINSTALL_KEY}"
  ${GetParameters} $R0
  ClearErrors
  ${GetOptions} $R0 "/PURGE" $R1
  ${IfNot} ${Errors}
    Call un.Purge
  ${EndIf}
  StrCpy $ExitCode ${OK}
FunctionEnd

; The machine's data, and what the service has kept when it ran without a user. Others may have made
; these folders before we did, so what is in them may be links to other places: they move where nobody
; else can reach them, and links go before anything is looked for in them (RMDir of a link removes the
; link).
!macro PurgeOne FOLDER NAME
  ${If} ${FileExists} "${FOLDER}\*.*"
    CreateDirectory "$INSTDIR\discarded"
    ClearErrors
    Rename "${FOLDER}" "$INSTDIR\discarded\${NAME}"
    ${If} ${Errors}
      StrCpy $R9 "${FOLDER} is in use and stays."
      !insertmacro Note
    ${Else}
      RMDir "$INSTDIR\discarded\${NAME}"
      RMDir "$INSTDIR\discarded\${NAME}\logs"
      Delete "$INSTDIR\discarded\${NAME}\logs\*.*"
      RMDir "$INSTDIR\discarded\${NAME}\logs"
      Delete "$INSTDIR\discarded\${NAME}\*.*"
      RMDir "$INSTDIR\discarded\${NAME}"
    ${EndIf}
  ${EndIf}
!macroend

Function un.Purge
  SetShellVarContext all
  StrCpy $R1 "$APPDATA\${PRODUCT_ID}"
  SetShellVarContext current
  !insertmacro PurgeOne "$R1" "data"
  !insertmacro PurgeOne \
    "$WINDIR\ServiceProfiles\LocalService\AppData\Local\${PRODUCT_ID}" "service"
FunctionEnd
