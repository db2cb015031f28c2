using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Components.Pages.Pairs;

/// <summary>What stands where the active node would, when there is none to name: that it is not known, and why.</summary>
internal static class ActiveWords
{
    public static string NotKnown(PairView pair)
    {
        string[] silent = [.. pair.Members.Where(member => !member.Node.IsFresh).Select(member => member.Node.Name)];
        return (silent.Length, pair) switch
        {
            ( > 0, _) => $"not known, because {string.Join(" and ", silent)} {(silent.Length == 1 ? "is" : "are")} silent",
            (_, { State: PairState.NoAnnouncer }) => "none, because nobody announces the address",
            (_, { Prefixes.Length: > 1 }) => "not known, or not the same for every prefix",
            _ => "not known, because the nodes announce alike",
        };
    }
}
