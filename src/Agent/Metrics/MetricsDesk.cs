using System.Collections.Immutable;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Metrics;

/// <summary>Collects what a page is made of from whoever has it.</summary>
/// <param name="loop">The node.</param>
/// <param name="speaker">The sessions.</param>
/// <param name="journal">What waits for the hub.</param>
/// <param name="hub">How the node stands with its hub, null: stand-alone.</param>
/// <param name="time">For the patience with the sessions.</param>
internal sealed class MetricsDesk(NodeLoop loop, BgpSpeaker speaker, Journal journal, Func<HubReading?> hub, TimeProvider time)
{
    /// <summary>The sessions' thread answers within microseconds, or is stuck: then the page has no counts of messages.</summary>
    public static readonly TimeSpan SessionsPatience = TimeSpan.FromSeconds(2);

    /// <summary>What the node asks for its hub; null: nothing, it is stand-alone or may not.</summary>
    public Func<VantageReading?> Vantage { get; init; } = static () => null;

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    public async Task<MetricsView> ReadAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(SessionsPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        ImmutableArray<PeerDiagnostics> peers;
        try
        {
            peers = await speaker.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            peers = [];
        }

        var standing = hub();
        return new MetricsView
        {
            Version = AgentCommandLine.Version,
            Node = loop.Current,
            Now = loop.Now,
            Peers = peers,
            JournalWaiting = journal.WaitingEntries,
            HubConnected = standing?.IsConnected,
            Membership = standing?.Membership,
            Vantage = Vantage(),
            Process = ProcessFacts.Read(_startedAt),
        };
    }
}
