using System.Text.Json;
using System.Text.Json.Serialization;
using FailoverHub.Agent.Addresses.Permanent;

namespace FailoverHub.Agent.Doctor;

/// <summary>Findings for scripts.</summary>
internal sealed record DoctorDocument
{
    public required string Node { get; init; }

    public required DateTimeOffset ReadAt { get; init; }

    public required int Passed { get; init; }

    public required int Failed { get; init; }

    public required int Unknown { get; init; }

    public required IReadOnlyList<FindingDocument> Findings { get; init; }

    /// <summary>Null: there is nothing to make permanent.</summary>
    public PermanentDocument? Permanent { get; init; }

    public static DoctorDocument Of(DoctorFacts facts, IReadOnlyList<Finding> findings, PermanentPart? permanent) => new()
    {
        Node = facts.Options.Node,
        ReadAt = facts.Now,
        Passed = findings.Count(finding => finding.State == FindingState.Passed),
        Failed = findings.Count(finding => finding.State == FindingState.Failed),
        Unknown = findings.Count(finding => finding.State == FindingState.Unknown),
        Findings = [.. findings.Select(finding => new FindingDocument(finding.Check, finding.State.Word(), finding.Text, finding.Advice))],
        Permanent = permanent is null ? null : new PermanentDocument(
            permanent.Kind switch
            {
                PermanentKind.Netplan => "netplan",
                PermanentKind.Ifupdown => "ifupdown",
                PermanentKind.Networkd => "systemd-networkd",
                PermanentKind.NetworkManager => "network-manager",
                _ => "unknown",
            },
            permanent.Lines?.Path,
            permanent.Lines?.Text,
            permanent.Lines?.Command,
            permanent.Outcome switch
            {
                PermanentOutcome.Written => "written",
                PermanentOutcome.AlreadyThere => "already-there",
                PermanentOutcome.Refused => "refused",
                _ => "not-asked",
            },
            (permanent.Outcome as PermanentOutcome.Refused)?.Problem,
            [.. permanent.Lines?.Notes ?? [], .. permanent.Hindrance is { } hindrance ? (string[])[hindrance] : []]),
    };
}

/// <param name="Check">Stable name.</param>
/// <param name="State"><c>passed</c>, <c>failed</c>, <c>unknown</c> or <c>not-applicable</c>.</param>
/// <param name="Text">What was found.</param>
/// <param name="Advice">What to do, null: nothing.</param>
internal sealed record FindingDocument(string Check, string State, string Text, string? Advice);

/// <param name="Kind"><c>netplan</c>, <c>ifupdown</c>, <c>systemd-networkd</c>, <c>network-manager</c> or <c>unknown</c>.</param>
/// <param name="Path">Of the file; null: not known.</param>
/// <param name="Text">All of it.</param>
/// <param name="Apply">Makes it true without a restart of the machine.</param>
/// <param name="Outcome"><c>not-asked</c>, <c>written</c>, <c>already-there</c> or <c>refused</c>.</param>
/// <param name="Problem">Why it was refused.</param>
/// <param name="Notes">What the operator has to know besides.</param>
internal sealed record PermanentDocument(string Kind, string? Path, string? Text, string? Apply, string Outcome, string? Problem, IReadOnlyList<string> Notes);

// Source-generated: reflection would not survive publishing as native code.
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DoctorDocument))]
internal sealed partial class DoctorJson : JsonSerializerContext
{
    public static string Of(DoctorDocument document) => JsonSerializer.Serialize(document, Default.DoctorDocument) + Environment.NewLine;
}
