using FailoverHub.Agent.Addresses.Permanent;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Control;

namespace FailoverHub.Agent.Doctor;

/// <summary>How <c>doctor</c> was called, besides the flags of <c>run</c>.</summary>
/// <param name="Json">For scripts.</param>
/// <param name="Write">The lines that make an address permanent are to be written.</param>
/// <param name="PeerHost">Host id of the other node; null: not given.</param>
internal sealed record DoctorOptions(bool Json, bool Write, string? PeerHost);

/// <summary>The command <c>doctor</c>: gathers, judges, prints.</summary>
internal static class DoctorCommand
{
    private const string Root = "/";
    private static readonly TimeSpan _agentPatience = TimeSpan.FromSeconds(3);

    /// <returns>0: nothing failed, though something may be unknown; 1: something failed.</returns>
    public static async Task<int> RunAsync(AgentOptions options, DoctorOptions doctor, TextWriter output)
    {
        using (options.Protocol.Authentication)
        {
            var facts = await new DoctorGathering(options, new HostProbe(Root), TimeProvider.System).GatherAsync(doctor.PeerHost, CancellationToken.None);
            var findings = Diagnosis.Of(facts);
            var permanent = PermanentPart.Of(facts, Root, doctor.Write);
            if (permanent is { Outcome: PermanentOutcome.Written(var path) })
            {
                var (answer, _) = await new ControlClient(TimeProvider.System).AskAsync(options.ControlSocket, new ControlRequest(ControlDesk.WroteCommand) { Reason = path }, _agentPatience);
                permanent = permanent with { IsInHistory = answer is { Command: not null } };
            }

            await output.WriteAsync(doctor.Json ? DoctorJson.Of(DoctorDocument.Of(facts, findings, permanent)) : DoctorText.Of(findings, permanent));
            return findings.Any(finding => finding.State == FindingState.Failed) || permanent is { Outcome: PermanentOutcome.Refused } or { Lines: null } && doctor.Write ? 1 : 0;
        }
    }
}
