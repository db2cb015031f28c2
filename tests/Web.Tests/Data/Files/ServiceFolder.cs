using System.Diagnostics;
using FailoverHub.Web.Tests.Agents;

namespace FailoverHub.Web.Tests.Data.Files;

/// <summary>
/// A data folder as root finds it when it runs one of the hub's commands: it belongs to another user, who can lay in it what he likes. Where the tests
/// do not run as root there is no such user, and the folder is our own.
/// </summary>
internal sealed class ServiceFolder : IDisposable
{
    public const string User = "nobody";

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _elsewhere = new();

    public ServiceFolder()
    {
        if (Environment.IsPrivilegedProcess)
        {
            Run("chown", $"{User}:", Path);
        }
    }

    public string Path => _folder.Path;

    /// <summary>Where that user has no business.</summary>
    public string Elsewhere => _elsewhere.Path;

    public string At(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>He lays a link.</summary>
    public void LayLink(string name, string target) => RunAsUser("ln", "-s", target, At(name));

    /// <summary>He gives a file a second name. The kernel may keep him from doing that with a file of others (fs.protected_hardlinks), so it is done for him.</summary>
    public void LayName(string name, string target) => Run("ln", target, At(name));

    /// <summary>He puts the one in the place of the other, at one moment.</summary>
    public void Replace(string name, string by) => File.Move(At(by), At(name), overwrite: true);

    public void Dispose()
    {
        _folder.Dispose();
        _elsewhere.Dispose();
    }

    private static void RunAsUser(params string[] command) =>
        Run(Environment.IsPrivilegedProcess ? ["setpriv", $"--reuid={User}", "--regid=nogroup", "--clear-groups", .. command] : command);

    private static void Run(params string[] command)
    {
        using var process = Process.Start(command[0], command[1..]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
