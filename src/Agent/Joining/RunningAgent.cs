using FailoverHub.Agent.Control;
using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Joining;

/// <summary>What became of a running agent that was told to look at its identity again.</summary>
/// <param name="ProcessId">Its process.</param>
/// <param name="Problem">Why it is not connected with it yet, without a full stop; null: it is.</param>
internal sealed record Takeover(int ProcessId, string? Problem);

/// <summary>The agent that runs on this machine while somebody joins.</summary>
internal static class RunningAgent
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _between = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _answerPatience = TimeSpan.FromSeconds(5);

    /// <summary>Has it read its configuration again, and waits until it is connected with this identity. Null: no agent runs.</summary>
    public static async Task<Takeover?> TakeOverAsync(string socket, HubIdentity identity, TimeProvider time, CancellationToken cancellationToken)
    {
        var client = new ControlClient(time);
        if ((await client.AskAsync(socket, new ControlRequest("status"), _answerPatience)).Answer?.Status is not { } before)
        {
            return null;
        }

        var (answer, problem) = await client.AskAsync(socket, new ControlRequest("reload"), _answerPatience);
        if (answer?.Command is null)
        {
            return new Takeover(before.ProcessId, $"{answer?.Error ?? problem}; restart it");
        }

        var began = time.GetTimestamp();
        while (true)
        {
            var status = (await client.AskAsync(socket, new ControlRequest("status"), _answerPatience)).Answer?.Status;
            var hub = status?.HubLink;
            if (hub is { Connected: true, Identity: { } shown } && shown.Fingerprint == identity.Fingerprint)
            {
                return new Takeover(status!.ProcessId, null);
            }

            if (time.GetElapsedTime(began) >= _patience)
            {
                return new Takeover(before.ProcessId, Why(status, identity));
            }

            await Task.Delay(_between, time, cancellationToken);
        }
    }

    private static string Why(StatusDocument? status, HubIdentity identity) => status switch
    {
        null => "it answers no more",
        { ConfigurationProblem: { } refused } => $"it does not take its configuration: {refused.TrimEnd('.')}",
        { HubLink: null } => "its configuration says that there is no hub (--hub off)",
        { HubLink: { Identity: null } link } => $"its configuration names another hub, {link.Hub}; take that out, what was joined is used then",
        { HubLink: { Identity: { } shown } link } when shown.Fingerprint != identity.Fingerprint => $"it still goes by another certificate, of {link.Hub}; restart it",
        { HubLink: { LastError: { } last } } => last,
        _ => "it has not answered in time",
    };
}
