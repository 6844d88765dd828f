# Speaks standard input (UTF-8) with a voice of Windows into a WAV file; without -Out it lists the voices and their languages.
param([string]$Out, [string]$Voice)
$ErrorActionPreference = "Stop"
[Console]::OutputEncoding = [Text.Encoding]::UTF8
Add-Type -AssemblyName System.Speech
$speech = New-Object System.Speech.Synthesis.SpeechSynthesizer
if (-not $Out) {
    foreach ($known in $speech.GetInstalledVoices()) {
        if ($known.Enabled) { "$($known.VoiceInfo.Name)`t$($known.VoiceInfo.Culture.Name)" }
    }
    exit 0
}
$words = New-Object IO.StreamReader([Console]::OpenStandardInput(), [Text.Encoding]::UTF8)
$mono = New-Object System.Speech.AudioFormat.SpeechAudioFormatInfo(22050, "Sixteen", "Mono")
$speech.SelectVoice($Voice)
$speech.SetOutputToWaveFile($Out, $mono)
$speech.Speak($words.ReadToEnd())
$speech.Dispose()
