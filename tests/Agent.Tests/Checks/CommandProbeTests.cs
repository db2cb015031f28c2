using System.Diagnostics;
using System.Globalization;
using FailoverHub.Agent.Checks;
using FailoverHub.Agent.Checks.Commands;
using FailoverHub.Agent.Checks.Probes;

namespace FailoverHub.Agent.Tests.Checks;

/// <summary>Real child processes.</summary>
[Trait("Kind", "Process")]
public sealed class CommandProbeTests : IDisposable
{
    // Long, for a busy machine; nothing here waits for it but what is meant to.
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("exit 0", true, "exit code 0")]
    [InlineData("echo all is well", true, "exit code 0: all is well")]
    [InlineData("echo no such table >&2; exit 2", false, "exit code 2: no such table")]
    [InlineData("echo out; echo err >&2; exit 255", false, "exit code 255: out err")]
    [InlineData("kill -SEGV $$", false, "ended by signal 11 (SIGSEGV)")]
    [InlineData("kill -9 $$", false, "ended by signal 9 (SIGKILL)")]
    [InlineData("printf 'a\\033[31mb\\001\\377\\r\\n\\tc'; exit 1", false, "exit code 1: a?[31mb?? c")]
    [InlineData("cat; echo no input", true, "exit code 0: no input")]
    [InlineData("yes | head -n 1", true, "exit code 0: y")]
    public async Task ExitCodeZero_IsGood_AndTheOutputIsReported(string script, bool good, string text)
    {
        var result = await RunAsync(["/bin/sh", "-c", script]);

        Assert.Equal((good, text), (result.Good, result.Text));
    }

    [Fact]
    public async Task FloodOfOutput_IsRead_AndItsEndIsKept()
    {
        var result = await RunAsync(["/bin/sh", "-c", "head -c 20000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 3"]);

        Assert.False(result.Good);
        Assert.StartsWith("exit code 3: ", result.Text, StringComparison.Ordinal);
        Assert.EndsWith("xxx the end", result.Text, StringComparison.Ordinal);
        Assert.InRange(result.Text.Length, 900, 1100);
    }

    [Fact]
    public async Task HungCommand_IsEnded_WithChildrenThatIgnoreIt_AlsoInSessionsOfTheirOwn()
    {
        // It tells its process ids when all of them are there.
        var told = _directory.At("told");
        Assert.Equal(0, await ExitAsync("mkfifo", told));
        var script = _directory.At("hang.sh");
        await File.WriteAllTextAsync(script, $"""
            #!/bin/sh
            trap '' TERM
            sleep 1000 & first=$!
            setsid sleep 1000 & second=$!
            sh -c 'trap "" TERM; sleep 1000; :' & third=$!
            echo half done
            echo $$ $first $second $third > {told}
            wait
            sleep 1000
            """, TestContext.Current.CancellationToken);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        using var timeout = new CancellationTokenSource();
        var running = Probe([script]).RunAsync(timeout.Token);
        var processes = (await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken)).Split(' ').Select(id => int.Parse(id, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(4, processes.Count);

        await timeout.CancelAsync();
        var result = await running;

        Assert.Equal((false, "not done within 60 s, ended with its children: half done"), (result.Good, result.Text));

        // The first one is reaped; the others die as soon as the kernel gets round to it, and are reaped by the machine's first process.
        Assert.Null(ProcessEntry.Read(processes[0]));
        while (processes.Exists(process => ProcessEntry.Read(process) is { IsDead: false }))
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [Theory]
    [InlineData("(setsid sh -c 'trap \"\" TERM HUP; sleep 1000 & wait; sleep 1000' </dev/null >/dev/null 2>&1 &)")] // its parent is gone, and its session is another one
    [InlineData("(setsid sh -c '(trap \"\" TERM; exec sleep 1000) & exit 0' &)")] // and once more
    public async Task HungCommand_WithADaemonWhoseParentsAreGone_IsEndedWithIt(string daemon)
    {
        var told = _directory.At("told");
        Assert.Equal(0, await ExitAsync("mkfifo", told));
        var script = _directory.At("hang.sh");
        await File.WriteAllTextAsync(script, $"#!/bin/sh\n{daemon}\necho ${MarkedProcesses.Variable} > {told}\nsleep 1000\n:\n", TestContext.Current.CancellationToken);
        using var timeout = new CancellationTokenSource();
        var running = Probe(["/bin/sh", script]).RunAsync(timeout.Token);
        var run = (await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken)).Trim();
        while (Alive(run).Count(process => process.Name == "sleep") < 2)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        await timeout.CancelAsync();
        Assert.False((await running).Good);

        while (Alive(run).Count > 0)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    [Fact]
    public async Task AgentThatWasKilled_NextOneEndsWhatWasUnderWay_AndNotWhatWasLeftOnPurpose()
    {
        var runs = new CommandRuns(_directory.At("commands"));
        Assert.Equal(0, await runs.EndLeftoversAsync(TimeProvider.System));
        var purpose = await Probe(["/bin/sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!"], runs: runs).RunAsync(TestContext.Current.CancellationToken);
        var left = int.Parse(purpose.Text["exit code 0: ".Length..], CultureInfo.InvariantCulture);
        Assert.Empty(Directory.GetFiles(_directory.At("commands")));

        // As if this process had been killed in the middle of it: the name stays, and so do the processes.
        var run = runs.Begin();
        var start = new ProcessStartInfo("/bin/sh", ["-c", "trap '' TERM; (setsid sleep 1000 &); sleep 1000; :"]) { Environment = { [MarkedProcesses.Variable] = run } };
        using var killed = Process.Start(start)!;
        while (Alive(run).Count < 3)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        Assert.InRange(await new CommandRuns(_directory.At("commands")).EndLeftoversAsync(TimeProvider.System), 3, 5);
        Assert.Empty(Alive(run));
        Assert.Empty(Directory.GetFiles(_directory.At("commands")));
        await killed.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(ProcessEntry.Read(left) is { IsDead: false });
        Process.GetProcessById(left).Kill();
    }

    [Fact]
    public async Task FilesCannotBeKept_TheCommandRunsAllTheSame()
    {
        await File.WriteAllTextAsync(_directory.At("commands"), "no directory", TestContext.Current.CancellationToken);
        var runs = new CommandRuns(_directory.At("commands"));

        Assert.True((await Probe(["true"], runs: runs).RunAsync(TestContext.Current.CancellationToken)).Good);
        Assert.Equal(0, await runs.EndLeftoversAsync(TimeProvider.System));
    }

    [Fact]
    public async Task CommandThatObeysTheFirstSignal_MayTidyUp()
    {
        var told = _directory.At("told");
        Assert.Equal(0, await ExitAsync("mkfifo", told));
        using var timeout = new CancellationTokenSource();
        var running = Probe(["/bin/sh", "-c", $"trap 'echo tidied; exit 0' TERM; echo > {told}; while :; do sleep 0.01; done"], grace: _long).RunAsync(timeout.Token);
        await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken);

        await timeout.CancelAsync();

        Assert.EndsWith("tidied", (await running).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChildLeftBehindOnPurpose_KeepsNobodyWaiting_AndLives()
    {
        var result = await RunAsync(["/bin/sh", "-c", "sleep 1000 & echo $!"]);

        Assert.True(result.Good);
        var left = int.Parse(result.Text["exit code 0: ".Length..], CultureInfo.InvariantCulture);
        Assert.True(ProcessEntry.Read(left) is { IsDead: false, Name: "sleep" or "sh" });
        Process.GetProcessById(left).Kill();
    }

    [Fact]
    public async Task ManyRuns_LeaveNoHandleAndNoProcessBehind()
    {
        var probe = Probe(["/bin/sh", "-c", "echo $$; exit 1"]);
        for (var i = 0; i < 20; i++)
        {
            var result = await probe.RunAsync(CancellationToken.None);
            Assert.Null(ProcessEntry.Read(int.Parse(result.Text["exit code 1: ".Length..], CultureInfo.InvariantCulture)));
        }

        Assert.DoesNotContain(Directory.EnumerateFiles("/proc/self/fd"), handle => new FileInfo(handle).LinkTarget?.Contains("[pidfd]", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task WhatCannotBeStarted_SaysWhatToDo()
    {
        Assert.Equal("/no/such/script does not exist", (await RunAsync(["/no/such/script"])).Text);
        Assert.StartsWith("no-such-program is in no directory of PATH", (await RunAsync(["no-such-program"])).Text, StringComparison.Ordinal);

        var script = _directory.At("check");
        await File.WriteAllTextAsync(script, "#!/no/such/shell\n", TestContext.Current.CancellationToken);
        Assert.Equal($"{script} may not be run: make it executable (chmod +x {script}) and its directories open to the agent's user", (await RunAsync([script])).Text);

        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal($"{script} cannot be run: the program that its first line (#!) names does not exist", (await RunAsync([script])).Text);

        var plain = _directory.At("plain");
        await File.WriteAllTextAsync(plain, "exit 0\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(plain, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.Equal($"{plain} is no program: give it a first line such as #!/bin/sh", (await RunAsync([plain])).Text);
    }

    [Fact]
    public async Task User_IsTakenOn_ByRootOnly()
    {
        var result = await Probe(["/bin/sh", "-c", "id -u; id -G"], user: "nobody").RunAsync(CancellationToken.None);

        Assert.Equal(
            Environment.IsPrivilegedProcess ? "exit code 0: 65534 65534" : "it is to run as nobody, which only an agent that runs as root can do; leave the user out to run it as the agent's own",
            result.Text);
        Assert.Equal("there is no user no-such-user on this machine", (await Probe(["true"], user: "no-such-user").RunAsync(CancellationToken.None)).Text);
        Assert.Equal("exit code 0", (await Probe(["true"], user: Environment.UserName).RunAsync(CancellationToken.None)).Text);
    }

    [Fact]
    public async Task ScriptOfKeepalived_RunsUnchanged()
    {
        using var sleeping = Process.Start("sleep", "1000");
        try
        {
            Assert.True((await RunAsync(CommandWords.Split("killall -0 sleep"))).Good);
            Assert.True((await RunAsync(CommandWords.Split("pidof sleep"))).Good);
            Assert.True((await RunAsync(CommandWords.Split($"kill -0 {sleeping.Id} && test -d /proc/{sleeping.Id}"))).Good);
            Assert.Equal((false, "exit code 1: no-such-process: no process found"), await RunAsync(CommandWords.Split("killall -0 no-such-process")) is var result ? (result.Good, result.Text) : default);
        }
        finally
        {
            sleeping.Kill();
            await sleeping.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static List<ProcessEntry> Alive(string run) => MarkedProcesses.Of(new HashSet<string> { run });

    private static Task<ProbeResult> RunAsync(IReadOnlyList<string> arguments) => Probe(arguments).RunAsync(TestContext.Current.CancellationToken);

    private static CommandProbe Probe(IReadOnlyList<string> arguments, string? user = null, TimeSpan? grace = null, CommandRuns? runs = null) =>
        new(new ProbeOptions.Command([.. arguments]) { User = user }, _long, grace ?? ChildProcess.Grace, runs ?? CommandRuns.Forgotten);

    private static async Task<int> ExitAsync(string program, string argument)
    {
        using var process = Process.Start(program, argument);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }
}
