using System.Globalization;
using FailoverHub.Bench.Lab;
using FailoverHub.Bench.Peers;

namespace FailoverHub.Bench.Subjects;

/// <summary>
/// A BGP daemon under measurement. Each announces the same IPv6 prefixes with the community of a role, from AS 65001 to four route servers in AS 65000, with hold
/// time 9 and keepalives every 3 s, and only dials.
/// </summary>
/// <param name="name">As the table shows it.</param>
/// <param name="network">Its own.</param>
/// <param name="board">What the route servers see of it.</param>
internal abstract class Subject(string name, NodeNetwork network, Board board)
{
    private MeasuredProcess? _process;

    public string Name => name;

    public Board Board => board;

    /// <summary>Ours: the others are what it is compared with.</summary>
    public virtual bool IsOurs => false;

    /// <summary>A command of its own tool that changes nothing: what starting the tool costs. Null: it is commanded in another way.</summary>
    public virtual IReadOnlyList<string>? IdleToolCommand => null;

    /// <summary>Its present process.</summary>
    public MeasuredProcess Process => _process ?? throw new InvalidOperationException($"{name} is not running.");

    /// <summary>Completes when every route server has everything that the last start is to announce, with that moment.</summary>
    public Task<long> Arrived { get; private set; } = Task.FromResult(0L);

    /// <summary>What it announces, or last announced.</summary>
    public int PrefixCount { get; private set; }

    /// <summary>What the route servers are to have from it now.</summary>
    protected Route Current { get; private set; }

    protected NodeNetwork Network => network;

    protected string Folder { get; } = $"/run/bench/{name.Replace(' ', '-').Replace("(", "", StringComparison.Ordinal).Replace(")", "", StringComparison.Ordinal)}-{network.Name}";

    protected string LogFile => $"{Folder}/log";

    protected static IEnumerable<int> Servers => Enumerable.Range(1, Board.Servers);

    protected static string CommunityOf(Route role) => role == Route.Primary ? "65000:1" : "65000:2";

    /// <summary>Starts it and sees to it that so many prefixes are announced as primary. The peers' tables tell when it has come to that.</summary>
    public async Task StartAsync(int prefixes, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Folder);
        PrefixCount = prefixes;
        var launch = await PrepareStartAsync(cancellation);
        board.Forget();
        Arrived = board.Expect(Route.Primary, prefixes);
        _process = await MeasuredProcess.StartAsync(network, LogFile, launch.Command, launch.Environment);
        Current = Route.Primary;
        await AfterStartAsync(cancellation);
    }

    /// <summary>Kills it.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        if (_process is { } process)
        {
            _process = null;
            await process.KillAsync(cancellation);
            await AfterStopAsync();
        }
    }

    /// <summary>SIGTERM; it may need some time for its farewell.</summary>
    /// <returns>Completes when it has ended.</returns>
    public async Task TerminateAsync(CancellationToken cancellation)
    {
        var process = Process;
        _process = null;
        await process.TerminateAsync(cancellation);
        await AfterStopAsync();
    }

    /// <summary>Makes everything ready that is no part of the command.</summary>
    /// <param name="wanted">What the route servers are to have afterwards: another role, or with <see cref="Route.None"/> nothing at all.</param>
    /// <param name="cancellation">Of the run.</param>
    /// <returns>Gives the command, and completes when the daemon has answered it.</returns>
    public async Task<Func<Task>> PrepareAsync(Route wanted, CancellationToken cancellation)
    {
        var command = await PrepareCommandAsync(wanted, cancellation);
        Current = wanted;
        return command;
    }

    /// <summary>The same as somebody on the node itself says it; to most daemons nobody else can say anything.</summary>
    /// <param name="wanted">As above.</param>
    /// <param name="cancellation">Of the run.</param>
    /// <returns>As above.</returns>
    public async Task<Func<Task>> PrepareLocalAsync(Route wanted, CancellationToken cancellation)
    {
        var command = await PrepareLocalCommandAsync(wanted, cancellation);
        Current = wanted;
        return command;
    }

    /// <summary>The end of its log, for a run that failed.</summary>
    public string LastWords() => File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(15)) : "";

    protected abstract Task<Launch> PrepareStartAsync(CancellationToken cancellation);

    protected virtual Task AfterStartAsync(CancellationToken cancellation) => Task.CompletedTask;

    protected virtual Task AfterStopAsync() => Task.CompletedTask;

    protected abstract Task<Func<Task>> PrepareCommandAsync(Route wanted, CancellationToken cancellation);

    protected virtual Task<Func<Task>> PrepareLocalCommandAsync(Route wanted, CancellationToken cancellation) => PrepareCommandAsync(wanted, cancellation);

    /// <summary>Text with numbers as machines write them.</summary>
    protected static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    protected sealed record Launch(IReadOnlyList<string> Command, IReadOnlyDictionary<string, string>? Environment = null);
}
