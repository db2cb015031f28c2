using System.Globalization;
using System.Text;
using FailoverHub.Agent.Addresses.Permanent;

namespace FailoverHub.Agent.Doctor;

/// <summary>Findings for people, 80 columns wide.</summary>
internal static class DoctorText
{
    private const int Width = 80;
    private const int Indent = 26;

    public static string Of(IReadOnlyList<Finding> findings, PermanentPart? permanent)
    {
        var text = new StringBuilder();
        foreach (var finding in findings)
        {
            var word = finding.State == FindingState.NotApplicable ? "-" : finding.State == FindingState.Failed ? "FAILED" : finding.State.Word();
            Paragraph(text, $"{word,-9}{finding.Check,-17}", finding.Text);
            if (finding.Advice is { } advice)
            {
                Paragraph(text, $"{"",-Indent}-> ", advice);
            }
        }

        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{Count(findings, FindingState.Passed)} passed, {Count(findings, FindingState.Failed)} failed, {Count(findings, FindingState.Unknown)} unknown");
        if (permanent is not null)
        {
            Permanent(text, permanent);
        }

        return text.ToString();
    }

    private static void Permanent(StringBuilder text, PermanentPart permanent)
    {
        text.AppendLine();
        if (permanent.Lines is not { } lines)
        {
            text.AppendLine("What sets up the interfaces of this machine is not known (no netplan, ifupdown,");
            text.AppendLine("systemd-networkd or NetworkManager was found): add the addresses to lo by hand.");
            return;
        }

        text.AppendLine(permanent.Outcome switch
        {
            PermanentOutcome.Written(var path) => $"Written: {path}",
            PermanentOutcome.AlreadyThere(var path) => $"Already there: {path}",
            PermanentOutcome.Refused => $"NOT written. {lines.Path} would be:",
            _ => $"To make it permanent (doctor --write does it), {lines.Path}:",
        });
        if (permanent.Outcome is PermanentOutcome.Refused(var problem))
        {
            Paragraph(text, "  -> ", problem);
        }

        if (permanent.IsInHistory == false)
        {
            Paragraph(text, "Note: ", "no agent answers on this machine, so that this was done stands in no history.");
        }

        if (permanent.Outcome is null or PermanentOutcome.Refused)
        {
            text.AppendLine();
            foreach (var line in lines.Text.TrimEnd('\n').Split('\n'))
            {
                text.AppendLine(line.Length == 0 ? "" : $"    {line}");
            }

            text.AppendLine();
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"Apply it: {lines.Command}");
        foreach (var note in lines.Notes.Concat(permanent.Hindrance is { } hindrance ? [hindrance] : []))
        {
            Paragraph(text, "Note: ", note);
        }
    }

    // Between words only: what somebody is to copy is left whole even when it is longer than a line.
    private static void Paragraph(StringBuilder text, string beginning, string sentence)
    {
        var line = new StringBuilder(beginning);
        var empty = true;
        foreach (var word in sentence.Split(' '))
        {
            if (!empty && line.Length + 1 + word.Length > Width)
            {
                text.Append(line).AppendLine();
                line.Clear().Append(' ', beginning.Length);
                empty = true;
            }

            line.Append(empty ? "" : " ").Append(word);
            empty = false;
        }

        text.Append(line).AppendLine();
    }

    private static int Count(IReadOnlyList<Finding> findings, FindingState state) => findings.Count(finding => finding.State == state);
}
