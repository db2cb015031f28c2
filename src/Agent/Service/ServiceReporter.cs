using System.Threading.Channels;
using FailoverHub.Agent.Node;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Service;

/// <summary>
/// Tells the service manager that the node is ready, how it stands, and that it is alive. The last is no blind timer: it is said only when the
/// thread of the sessions has gone round since the last time. A part without which the sessions go on (the loop of the node, which may wait for its disk)
/// is only told of when it is silent: no session is lost for it. No trouble of any of this touches the node.
/// </summary>
/// <param name="socket">Owned by whoever made it.</param>
/// <param name="node">The node as it is now.</param>
/// <param name="vitals">What must be alive.</param>
/// <param name="time">For the watchdog, and for the pauses.</param>
/// <param name="logger">Its log.</param>
internal sealed partial class ServiceReporter(
    NotifySocket socket,
    Func<NodeState> node,
    Vitals vitals,
    TimeProvider time,
    ILogger<ServiceReporter> logger)
{
    /// <summary>Between two lines of status: a node whose sessions come and go is no reason to keep the service manager busy.</summary>
    public static readonly TimeSpan StatusPause = TimeSpan.FromSeconds(1);

    // An answer may be late by nearly two questions, and systemd must have heard us by then.
    private const int QuestionsPerWatchdog = 4;

    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private bool _problemSaid;
    private volatile string _silence = "";

    /// <summary>The node has changed. Returns at once.</summary>
    public void OnChanged() => _changes.Writer.TryWrite(true);

    /// <summary>The configuration is read again; <see cref="Reloaded"/> follows in any case.</summary>
    public void Reloading() => Send($"RELOADING=1\nMONOTONIC_USEC={(long)(time.GetTimestamp() * (1e6 / time.TimestampFrequency))}");

    /// <summary>The configuration was read again, or the old one is kept.</summary>
    public void Reloaded() => Send("READY=1");

    /// <summary>The agent ends.</summary>
    /// <param name="cause">What asked: <c>SIGTERM</c>.</param>
    public void Stopping(string cause) => Send($"STOPPING=1\nSTATUS=Stopping: {OneLine(cause)}");

    /// <summary>Says that the node is ready, and goes on until it is cancelled.</summary>
    /// <param name="watchdog">The service manager ends a service that is silent for so long; null: it does not.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(TimeSpan? watchdog, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(TellStatusAsync(cancellationToken), watchdog is { } period ? FeedWatchdogAsync(period, cancellationToken) : Task.CompletedTask);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The agent ends.
        }
    }

    private async Task TellStatusAsync(CancellationToken cancellationToken)
    {
        var told = "";
        var ready = "READY=1\n";
        while (true)
        {
            var status = OneLine(_silence + ServiceStatus.Of(node()));
            if (status != told && Send($"{ready}STATUS={status}"))
            {
                (told, ready) = (status, "");
            }

            await Task.Delay(StatusPause, time, cancellationToken);
            if (ready.Length == 0)
            {
                await _changes.Reader.ReadAsync(cancellationToken);
            }
        }
    }

    private async Task FeedWatchdogAsync(TimeSpan watchdog, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(watchdog / QuestionsPerWatchdog, time);
        HashSet<string> said = [];
        vitals.AskAgain();
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            var silent = vitals.AskAgain();
            if (silent.All(part => part.StandsStill is not null))
            {
                Send("WATCHDOG=1");
            }

            foreach (var part in silent.Where(part => !said.Contains(part.Name)))
            {
                Say(part, watchdog);
            }

            said = [.. silent.Select(part => part.Name)];
            var silence = silent.Count == 0 ? "" : $"NO SIGN OF LIFE from {string.Join(" and ", said)}; ";
            if (silence != _silence)
            {
                _silence = silence;
                OnChanged();
            }
        }
    }

    private void Say(VitalPart part, TimeSpan watchdog)
    {
        if (part.StandsStill is { } consequence)
        {
            StandsStill(logger, part.Name, consequence);
        }
        else
        {
            NoAnswer(logger, part.Name, watchdog.TotalSeconds);
        }
    }

    // A new line begins another word to the service manager, and some of them end the service.
    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    // True: told, or not worth another try.
    private bool Send(string lines)
    {
        if (socket.Send(lines) is not { } problem)
        {
            _problemSaid = false;
            return true;
        }

        if (!problem.TryAgain && !_problemSaid)
        {
            _problemSaid = true;
            CannotTell(logger, problem.Problem);
        }

        return !problem.TryAgain;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "systemd cannot be told how the agent stands, it may take it for hung: {Problem}")]
    private static partial void CannotTell(ILogger logger, string problem);

    [LoggerMessage(EventId = 2, Level = LogLevel.Error, Message = "No sign of life from {Part}: unless that changes, systemd's watchdog restarts the agent after {Seconds:0} s of silence")]
    private static partial void NoAnswer(ILogger logger, string part, double seconds);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "No sign of life from {Part}: {Consequence}")]
    private static partial void StandsStill(ILogger logger, string part, string consequence);
}
