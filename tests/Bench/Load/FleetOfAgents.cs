using System.Diagnostics;
using FailoverHub.Bench.Lab;

namespace FailoverHub.Bench.Load;

/// <summary>The simulated agents, and the tasks in which they live.</summary>
internal sealed class FleetOfAgents : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly List<Task> _living = [];
    private readonly List<SimulatedAgent> _agents = [];

    public IReadOnlyList<SimulatedAgent> Agents => _agents;

    /// <summary>Reports that all of them have written.</summary>
    public long Reports => _agents.Sum(a => a.Reports);

    public int Welcomes => _agents.Sum(a => a.Welcomes);

    /// <summary>They begin to dial, 50 each tenth of a second.</summary>
    public async Task AddAsync(string url, IEnumerable<Membership> members, CancellationToken stop)
    {
        foreach (var some in members.Chunk(50))
        {
            foreach (var member in some)
            {
                var agent = new SimulatedAgent(url, SimulatedAgent.NameOf(_agents.Count), _agents.Count, member);
                _agents.Add(agent);
                _living.Add(Task.Run(() => agent.RunAsync(_ending.Token), CancellationToken.None));
            }

            await Pause.ForAsync(TimeSpan.FromMilliseconds(100), stop);
        }
    }

    /// <summary>Waits until each has been welcomed once more than it was then.</summary>
    /// <returns>How long that took from now on, and the most that were welcomed within one second.</returns>
    public async Task<(TimeSpan Took, int MostInASecond)?> UntilWelcomedAsync(int before, TimeSpan patience, Action<int> progress, CancellationToken stop)
    {
        var began = Stopwatch.GetTimestamp();
        while (Welcomes - before < _agents.Count)
        {
            if (Stopwatch.GetElapsedTime(began) > patience)
            {
                return null;
            }

            await Pause.ForAsync(TimeSpan.FromMilliseconds(200), stop);
            progress(Welcomes - before);
        }

        var moments = _agents.Select(a => Stopwatch.GetElapsedTime(began, a.WelcomedAt)).ToList();
        return (moments.Max(), moments.GroupBy(m => (int)Math.Floor(m.TotalSeconds)).Max(g => g.Count()));
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_living);
        _agents.ForEach(a => a.Dispose());
        _ending.Dispose();
    }
}
