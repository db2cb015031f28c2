using System.Collections.Immutable;
using System.Net;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Answering;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Checks.Commands;
using FailoverHub.Agent.Checks.Probes;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Configuration.Layers;
using FailoverHub.Agent.Control;
using FailoverHub.Agent.Control.Claims;
using FailoverHub.Agent.Discovery;
using FailoverHub.Agent.Hub;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Metrics;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Reload;
using FailoverHub.Agent.Service;
using FailoverHub.Agent.Speaker;
using FailoverHub.Agent.Vantage;
using FailoverHub.Agent.Vantage.Echoes;
using FailoverHub.Bgp.Messages;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent;

/// <summary>
/// The daemon put together: who owns what, in which order it begins and in which it ends.
/// <code>
///   bgp thread      BgpSpeaker       sockets, sessions, their timers
///   task            NodeLoop         the node's state, intents, journal entries
///   task            AddressWatcher   interfaces
///   task            AgentDiscovery   the metadata service, if there is one
///   task            HubLink          the stream to the hub, if there is one
///   task each       CheckRunners     health checks, if there are any; a command has a thread while it runs
///   task            ConfigurationReloader  SIGHUP, and the file when it changes
///   task            ControlServer    what 'status' and 'trace' ask, if there is a socket
///   task            IdentityAnswers  the hub's question who it is that answers on a shared address
///   task            VantagePoint     what the hub wants asked from here; a task for each probe that is out
///   task            MetricsEndpoint  /metrics, if it was asked for
///   task            ServiceLink      what systemd hears, if it is what started us
/// </code>
/// </summary>
internal sealed partial class AgentProcess
{
    private const int Failed = 1;

    // The goodbye is bounded: whoever asked us to stop waits a second, and two when something hangs.
    private static readonly TimeSpan _loopPatience = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _goodbyePatience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _hubPatience = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan _endPatience = TimeSpan.FromSeconds(2);

    // By then the first routes are long out. Between two keepalives: a second of hold time is many times what the tidying takes.
    private static readonly TimeSpan _tidyAfter = TimeSpan.FromSeconds(4);

    // By then the hub is found, if it is there at all: the pages of a handshake are not needed again for weeks.
    private static readonly TimeSpan _tidyAgainAfter = TimeSpan.FromMinutes(1);

    private volatile AgentOptions _options;
    private readonly LogThreshold _threshold;
    private readonly ConfigurationReloader _reloader;
    private readonly StateDirectory _directory;
    private readonly ILoggerFactory _logging;
    private readonly ILogger _logger;
    private readonly TaskCompletionSource<string> _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _hurry = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NodeLoop? _loop;
    private readonly TimeProvider _time = TimeProvider.System;

    private AgentProcess(AgentOptions options, ConfigurationReloader reloader, LogThreshold threshold, StateDirectory directory, ILoggerFactory logging)
    {
        _options = options;
        _directory = directory;
        _logging = logging;
        _logger = logging.CreateLogger<AgentProcess>();
        _threshold = threshold;
        _reloader = reloader;
    }

    /// <summary>Of the neighbors that are dialled.</summary>
    private NodeClaim Claim { get; init; } = null!;

    /// <summary>Runs until it is asked to stop.</summary>
    /// <returns>0 after a goodbye, 1 when it could not run, 2 when the command line does not fit what is stored.</returns>
    public static async Task<int> RunAsync(AgentOptions options, ConfigurationSource source, TextWriter error)
    {
        // The slowest part of the start, and nothing needs it before the neighbors are dialled.
        var threshold = new LogThreshold(options.LogLevel);
        var creatingLogging = Task.Run(() => AgentLogging.Create(threshold, options.LogJson, JournalStream.IsStandardOutput()));
        var (directory, problem) = StateDirectory.Open(options.StateDirectory);
        if (directory is null)
        {
            (await creatingLogging).Dispose();
            await error.WriteLineAsync($"error: {problem}");
            return Failed;
        }

        using (options.Protocol.Authentication)
        using (directory)
        {
            using var logging = await creatingLogging;
            using var reloader = new ConfigurationReloader(source, TimeProvider.System, logging.CreateLogger<ConfigurationReloader>());
            using var claim = new NodeClaim(options.Node, user => NodeUsers.OnThisMachine(directory.Root).Includes(user), text => Warn(logging.CreateLogger<AgentProcess>(), text), TimeProvider.System);
            return await new AgentProcess(options, reloader, threshold, directory, logging) { Claim = claim }.RunAsync(error);
        }
    }

    private async Task<int> RunAsync(TextWriter error)
    {
        using var signals = new StopSignals(RequestStop, Hurry, () => _reloader.Ask("SIGHUP"));
        var files = NodeFiles.In(_directory.Root, text => Warn(_logger, text)) with { CannotBeWritten = _directory.Warning is not null && Directory.Exists(_directory.Root) };
        var memory = files.Load(_time.GetUtcNow());
        // A damaged intent is another matter than none: what has a role is announced, as secondary at most, and the warning says so.
        if (_options.NeedsStoredIntent && memory is { Intent: null, IntentIsLost: false })
        {
            await error.WriteLineAsync("error: --primary or --secondary: neither is given and no intent is stored; give one of them, a role with each prefix (--announce PREFIX=primary), or --hub so that the hub assigns roles.");
            return AgentCommandLine.UsageError;
        }

        foreach (var warning in _options.Warnings.AddRange(new[] { _directory.Warning }.OfType<string>()).AddRange(memory.Problems))
        {
            Warn(_logger, warning);
        }

        var discovery = new AgentDiscovery(_options, _directory, _time, _logging);
        _options = discovery.Begin();
        if (await Claim.ExtendAsync(_options.Neighbors, _options.LocalAddressFor, CancellationToken.None) is { } taken)
        {
            await error.WriteLineAsync($"error: {taken}");
            return Failed;
        }

        memory = memory with { Shared = discovery.Facts?.Shared ?? [] };
        var interfaces = new NodeAddresses(_options, _directory.Root, _time, _logging);
        var (addresses, shared) = interfaces.ReadFirst(memory);
        var routerId = ChooseRouterId(addresses, shared.Union(_options.Announce.Select(configured => configured.Prefix)).Union(memory.Intent?.Prefixes.Select(entry => entry.Prefix) ?? []));
        using var journal = Journal.Open(_directory.JournalDirectory, JournalLimits.Default, _time, _logging.CreateLogger<Journal>());
        journal.Restore(memory.Entries);
        using var speaker = new BgpSpeaker(AgentSettings.Peers(_options, routerId), occurred => Volatile.Read(ref _loop)!.TryPost(occurred), _time, _logging.CreateLogger<BgpSpeaker>());
        var loop = new NodeLoop(
            NodeState.Resume(AgentSettings.Node(_options), memory, new Moment(TimeSpan.Zero, _time.GetUtcNow())),
            speaker,
            new NodeStorage(files, journal),
            _time,
            _logging.CreateLogger<NodeLoop>());

        Volatile.Write(ref _loop, loop);

        // The speaker dials at the first effect of this, while the loop still writes its journal.
        speaker.Start();
        loop.ApplyBeforeRunning(new NodeEvent.Started(shared, AgentSettings.Beginning(_options, routerId, memory)) { Own = interfaces.Own });
        if (discovery.Facts is { } facts)
        {
            loop.ApplyBeforeRunning(new NodeEvent.InstanceLearned(facts));
        }

        var (control, controlProblem) = ControlSocket.Open(_options.ControlSocket);
        if (control is null)
        {
            NoControl(_logger, _options.ControlSocket, controlProblem!);
        }

        using var hub = new HubSlot(settings => new HubLink(settings, loop, journal, _time, _logging.CreateLogger<HubLink>()), _hubPatience);
        var runs = new CommandRuns(_directory.CommandRuns);
        var checks = new CheckRunners(check => ProbeFactory.Create(check, _time, runs), loop.PostAsync, _time, _logging.CreateLogger<CheckRunners>());
        using var identity = new IdentityAnswers(_options.IdentityPort, address => loop.Current.HasShared(address), _time, _logging.CreateLogger<IdentityAnswers>());
        using var names = new NameLookup(Dns.GetHostAddresses);
        var vantage = new VantagePoint(
            new TargetAsking(address => loop.Current.HasShared(address) ? AddressStanding.Own : HostAddresses.StandingOf(address), IcmpSocket.Opener(_time), names, _time, _logging.CreateLogger<TargetAsking>()),
            Random.Shared.NextDouble,
            _time,
            _logging.CreateLogger<VantagePoint>());

        // What is announced waits for nothing of this: it is on its way since the loop began.
        if (await runs.EndLeftoversAsync(_time) is > 0 and var left)
        {
            EndedLeftovers(_logger, left);
        }

        using (control)
        {
            var orders = new OrderDesk(loop.TryPost, () => loop.Now.Monotonic);
            loop.CommandBegun += orders.Begin;
            loop.CommandAnswered += orders.Take;
            var desk = new ControlDesk(new ControlIdentity(() => _options, routerId, Environment.ProcessId, _time.GetUtcNow()), () => (loop.Current, loop.Now), speaker.ReadAsync, orders, _time) 
            {
                Checks = checks.Read,
                Hub = () => hub.Reading,
                Vantage = () => Asked(vantage),
                Keep = loop.TryPost,
                Reload = _reloader.Ask,
            };
            var server = control is null ? null : new ControlServer(control, desk.AnswerAsync, _time, _logging.CreateLogger<ControlServer>());
            return await RunUntilStoppedAsync(speaker, loop, journal, interfaces, server, discovery, routerId, checks, hub, identity, vantage);
        }
    }

    private async Task<int> RunUntilStoppedAsync(BgpSpeaker speaker, NodeLoop loop, Journal journal, NodeAddresses interfaces, ControlServer? control, AgentDiscovery discovery, RouterId routerId, CheckRunners checks, HubSlot hub, IdentityAnswers identity, VantagePoint vantage)
    {
        using var tidying = _time.CreateTimer(static _ => StartLeftovers.GiveBack(), null, _tidyAfter, Timeout.InfiniteTimeSpan);
        using var tidyingAgain = _time.CreateTimer(static _ => StartLeftovers.GiveBack(), null, _tidyAgainAfter, Timeout.InfiniteTimeSpan);
        var looping = Task.Run(loop.RunAsync);
        checks.Configure(_options.Checks);
        using var watching = new CancellationTokenSource();
        var watched = Task.Run(() => interfaces.RunAsync(loop, watching.Token));
        var answering = control is null ? Task.CompletedTask : Task.Run(() => control.RunAsync(watching.Token));
        var discovering = Task.Run(() => discovery.WatchAsync(() => _options, loop, () => _reloader.Ask("the metadata service named the data center"), watching.Token));
        var identifying = Task.Run(() => identity.RunAsync(watching.Token));
        var probing = Task.Run(() => vantage.RunAsync(watching.Token));
        await hub.SwitchAsync(AgentSettings.HubLink(_options, speaker.Metrics, checks.Read, identity, vantage));
        using var service = ServiceLink.Open(loop, speaker, _time, _logging);
        var targets = new ReloadTargets
        {
            Loop = loop,
            Claim = Claim,
            IsConnected = speaker.Has,
            RouterId = routerId,
            Running = _options,
            Complete = discovery.Complete,
            IsStopping = () => _stop.Task.IsCompleted,
            Began = service.Reloading,
            Ended = service.Reloaded,
            Apply = async options =>
            {
                if ((options.Hub, options.Joined?.NodeId) != (_options.Hub, _options.Joined?.NodeId))
                {
                    // What one hub has given is nothing to answer another one with.
                    identity.Take(null);
                }

                _options = options;
                _threshold.Level = options.LogLevel;
                interfaces.Configure(options);
                checks.Configure(options.Checks);
                identity.Configure(options.IdentityPort);
                await TakeOverAsync(hub, options, AgentSettings.HubLink(options, speaker.Metrics, checks.Read, identity, vantage), loop);
            },
        };
        var telling = Task.Run(() => service.RunAsync(watching.Token));
        using var metrics = MetricsEndpoint.Open(_options.Metrics, new MetricsDesk(loop, speaker, journal, () => hub.Reading, _time) { Vantage = () => Asked(vantage) }.ReadAsync, _time, _logging.CreateLogger<MetricsServer>());
        var metering = Task.Run(() => metrics.RunAsync(watching.Token));
        var reloading = Task.Run(() => _reloader.RunAsync(targets, watching.Token));

        // Without one of these the node cannot do what it is for: that they end unasked is a bug, thrown below, after the neighbors have
        // been told. The hub and the watching of the interfaces are not among them: no trouble of theirs may withdraw an address.
        var ended = await Task.WhenAny(_stop.Task, speaker.Ended, looping);
        var cause = ended == _stop.Task ? await _stop.Task : "internal error";
        service.Stopping(cause);
        if (ended == _stop.Task)
        {
            await LeaveGracefullyAsync(loop, looping, speaker, cause);
        }

        var over = Task.Delay(_endPatience, _time);
        loop.TryPost(new NodeEvent.StopRequested(cause, AtOnce: true));
        await SayGoodbyeAsync(speaker, cause);

        await watching.CancelAsync();
        var checking = Task.Run(async () =>
        {
            // Whoever still reads a configuration may still begin checks.
            await reloading;
            await checks.DisposeAsync();
        });
        var finished = Task.Run(hub.FinishAsync);
        await Task.WhenAny(Task.WhenAll(finished, checking), over);
        loop.Complete();
        var rest = Task.WhenAll(watched, answering, discovering, reloading, telling, metering, identifying, probing, looping, finished, checking);
        if (await Task.WhenAny(rest, over) == over)
        {
            Abandon(cause, [("the node loop", looping), ("the watching of the interfaces", watched), ("the control", answering), ("the metadata service", discovering), ("the reading of the configuration", reloading), ("the word to systemd", telling), ("the metrics", metering), ("the answering of identity requests", identifying), ("the asking for the hub", probing), ("the link to the hub", finished), ("a health check", checking)]);
        }

        await rest;
        Stopped(_logger, cause);
        await ended;
        return 0;
    }

    // By the options as they are now: a reload may give a hub, or forbid to ask for it.
    private VantageReading? Asked(VantagePoint vantage) => _options is { Hub: not null, Probing: true } ? vantage.Read() : null;

    // Another hub, or another identity with the same one. The sessions hear nothing of it.
    private static async Task TakeOverAsync(HubSlot hub, AgentOptions options, HubLinkSettings? settings, NodeLoop loop)
    {
        var before = hub.Reading?.Membership?.Identity.Fingerprint;
        await hub.SwitchAsync(settings);
        if (AgentSettings.MemberOf(options)?.Identity is { } joined && joined.Fingerprint != before)
        {
            await loop.PostAsync(
                new NodeEvent.MembershipChanged(TransitionKind.HubJoined, $"this node goes by what it was given when it joined {joined.Hub}: it is {joined.Node} there, with a certificate until {CertificateTimes.Text(joined.Times.NotAfter)}"),
                CancellationToken.None);
        }
    }

    // What hangs would hang whoever disposes of it as well: a disk that answers no more cannot be waited for. So the process ends here.
    private void Abandon(string cause, IEnumerable<(string Name, Task Task)> parts)
    {
        HangsAtTheEnd(_logger, cause, string.Join(" and ", parts.Where(part => !part.Task.IsCompleted).Select(part => part.Name)), _endPatience.TotalSeconds);
        _logging.Dispose();
        Environment.Exit(Failed);
    }

    // On a thread of the runtime, perhaps before there is a loop. The loop is told from here, because each hop costs time on the way to the goodbye.
    private void RequestStop(string cause)
    {
        // Known as asked for before it can begin: a quick goodbye is otherwise over first, and looks like one that nobody asked for.
        _stop.TrySetResult(cause);
        Volatile.Read(ref _loop)?.TryPost(new NodeEvent.StopRequested(cause));
    }

    // A second signal. There is something to cut short once at most.
    private bool Hurry(string cause)
    {
        if (_options.Protocol.GracefulShutdown == TimeSpan.Zero || !_hurry.TrySetResult())
        {
            return false;
        }

        Hurrying(_logger, cause);
        return true;
    }

    // The node decides whether there is anything to wait for, and for how long; when it hangs, its time is over all the same.
    private async Task LeaveGracefullyAsync(NodeLoop loop, Task looping, BgpSpeaker speaker, string cause)
    {
        if (_options.Protocol.GracefulShutdown == TimeSpan.Zero)
        {
            return;
        }

        var longest = (_options.Protocol.GracefulShutdown < NodeSettings.LongestGoodbye ? _options.Protocol.GracefulShutdown : NodeSettings.LongestGoodbye) + _endPatience;
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Changed += () =>
        {
            if (loop.Current.Stopping)
            {
                left.TrySetResult();
            }
        };
        if (loop.TryPost(new NodeEvent.StopRequested(cause)) && !loop.Current.Stopping)
        {
            await Task.WhenAny(left.Task, _hurry.Task, looping, speaker.Ended, Task.Delay(longest, _time));
        }
    }

    private async Task SayGoodbyeAsync(BgpSpeaker speaker, string cause)
    {
        // The loop tells the speaker; when it is stuck on a disk, the neighbors must not wait for it.
        await Task.WhenAny(speaker.Ended, Task.Delay(_loopPatience, _time));
        speaker.Stop($"failoverhub-agent stopping: {cause} on {_options.Node}");
        await Task.WhenAny(speaker.Ended, Task.Delay(_goodbyePatience, _time));
        if (!speaker.Ended.IsCompleted)
        {
            GoodbyeIncomplete(_logger);
        }
    }

    private RouterId ChooseRouterId(IReadOnlyList<InterfaceAddress> addresses, ImmutableHashSet<IPNetwork> shared)
    {
        var identity = new NodeIdentity(MachineId(), _options.Node);
        var kept = RouterIdStore.Load(_directory.RouterIdFile, identity);
        var routerId = _options.RouterId ?? kept ?? RouterIdChooser.Choose(_options.LocalIpv4, addresses, shared, identity);
        if (routerId != kept)
        {
            try
            {
                RouterIdStore.Save(_directory.RouterIdFile, routerId, identity);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                Warn(_logger, $"router id {routerId} cannot be kept, after a restart it may be another one: {exception.Message}");
            }
        }

        return routerId;
    }

    private static string MachineId()
    {
        try
        {
            return File.ReadAllText("/etc/machine-id").Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A container often has none: then the node's name alone tells nodes apart.
            return "";
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "{Text}")]
    private static partial void Warn(ILogger logger, string text);

    [LoggerMessage(EventId = 3, Level = LogLevel.Warning, Message = "Not every neighbor took our goodbye in time; they see the connection end instead")]
    private static partial void GoodbyeIncomplete(ILogger logger);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "Stopped: {Cause}")]
    private static partial void Stopped(ILogger logger, string cause);

    [LoggerMessage(EventId = 5, Level = LogLevel.Error, Message = "Stopped: {Cause}; {Parts} did not end within {Seconds:0} s and is left behind")]
    private static partial void HangsAtTheEnd(ILogger logger, string cause, string parts, double seconds);

    [LoggerMessage(EventId = 9, Level = LogLevel.Warning, Message = "{Count} processes of health checks were left by an agent that was killed; they are ended before the checks begin")]
    private static partial void EndedLeftovers(ILogger logger, int count);

    [LoggerMessage(EventId = 7, Level = LogLevel.Information, Message = "{Cause} again: the graceful shutdown is cut short")]
    private static partial void Hurrying(ILogger logger, string cause);

    [LoggerMessage(EventId = 8, Level = LogLevel.Warning, Message = "No control socket at {Path}, 'status', 'drain' and the other commands cannot reach this agent: {Problem}")]
    private static partial void NoControl(ILogger logger, string path, string problem);
}
