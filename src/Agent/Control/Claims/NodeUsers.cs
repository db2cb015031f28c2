using System.Globalization;
using System.Runtime.InteropServices;

namespace FailoverHub.Agent.Control.Claims;

/// <summary>
/// As whom an agent of this node may run. Whoever else holds its name is no reason not to announce: anybody may run a program on this machine,
/// ours as well, and must not be able to keep the node out of service with that.
/// </summary>
/// <param name="Own">As whom we run.</param>
/// <param name="Service">As whom the packaged service runs; null: there is no such user here.</param>
/// <param name="StateOwner">Whose our state directory is; null: it is not to be known.</param>
internal sealed partial record NodeUsers(uint Own, uint? Service, uint? StateOwner)
{
    // packaging/failoverhub-agent.sysusers
    private const string ServiceName = "failoverhub";

    /// <summary>Those of this machine.</summary>
    /// <param name="stateDirectory">Absolute.</param>
    public static NodeUsers OnThisMachine(string stateDirectory)
    {
        try
        {
            // The file and not the name service, which may be on the other side of a network that is the very trouble.
            return new NodeUsers(EffectiveUser(), Named(ServiceName, File.ReadLines("/etc/passwd")), OwnerOf(stateDirectory));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new NodeUsers(EffectiveUser(), null, OwnerOf(stateDirectory));
        }
    }

    /// <summary>An agent of this user counts. Only root is handed a directory of somebody else's, and means that agent by it.</summary>
    public bool Includes(uint user) => user == 0 || user == Own || user == Service || (Own == 0 && user == StateOwner);

    /// <summary>The number of an account, null: there is none of that name.</summary>
    internal static uint? Named(string name, IEnumerable<string> accounts)
    {
        foreach (var line in accounts)
        {
            if (line.Split(':') is [var known, _, var id, ..] && known == name && uint.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var user))
            {
                return user;
            }
        }

        return null;
    }

    private static uint? OwnerOf(string path)
    {
        try
        {
            return SocketFile.Look(path, throughLinks: true)?.Owner;
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();
}
