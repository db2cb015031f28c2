using FailoverHub.Agent.Vantage;

namespace FailoverHub.Agent.Tests.Vantage;

/// <summary>Asks nobody: each question waits until a test answers it, unless there is an answer for all.</summary>
internal sealed class ScriptedAsking : ITargetAsking
{
    private int _released;

    /// <summary>Questions, in the order of their asking.</summary>
    public Signal<Question> Questions { get; } = new();

    /// <summary>What every question is answered at once; null: it waits.</summary>
    public Func<VantageTask, ProbeOutcome>? Always { get; set; }

    /// <summary>How often everything was closed.</summary>
    public int Released => Volatile.Read(ref _released);

    public async Task<ProbeOutcome> AskAsync(VantageTask task, CancellationToken cancellationToken)
    {
        var question = new Question(task);
        Questions.Add(question);
        return Always?.Invoke(task) ?? await question.Answer.Task.WaitAsync(cancellationToken);
    }

    public Task ReleaseAsync()
    {
        Interlocked.Increment(ref _released);
        return Task.CompletedTask;
    }

    internal sealed record Question(VantageTask Task)
    {
        public TaskCompletionSource<ProbeOutcome> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
