using System.Collections.Immutable;
using System.Text.RegularExpressions;
using FailoverHub.Web.Reachability.Probing;

namespace FailoverHub.Web.Alerts.Book;

/// <summary>
/// Which subjects of alerts and shelves name a node, and what follows it to another name. An operation is of the past and keeps the old one, so an alert of it does too; a shelf is for what comes as well.
/// Pure.
/// </summary>
internal static class NodeSubjects
{
    private const string Operation = "operation:";

    private static readonly string[] Heads = ["node:", $"target:{ProbeTarget.NodePrefix}", "check:"];

    /// <summary>It is about what was done, not about how a node is.</summary>
    public static bool IsOfThePast(string subject) => subject.StartsWith(Operation, StringComparison.Ordinal);

    /// <summary>It is about that node.</summary>
    public static bool Names(string subject, string node) => Renamed(subject, node, node) is not null;

    /// <summary>The subject under the node's new name; null: it is not about that node.</summary>
    public static string? Renamed(string subject, string from, string to)
    {
        Range? name = NameIn(subject);
        return name is { } at && string.Equals(subject[at], from, StringComparison.OrdinalIgnoreCase) ? $"{subject[..at.Start]}{to}{subject[at.End..]}" : null;
    }

    /// <summary>What an alert says it is about, for people, likewise.</summary>
    public static string AboutRenamed(string about, string from, string to) =>
        new Regex($@"(?<![\w.-]){Regex.Escape(from)}(?![\w-]|\.\w)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.RightToLeft).Replace(about, to, 1);

    /// <summary>The book after a node has got another name. Where something stands under the new name already that stays, and what stood under the old one ends by itself.</summary>
    public static AlertBook Renamed(AlertBook book, string from, string to)
    {
        AlertKey? New(AlertKey key) => Renamed(key.Subject, from, to) is { } subject ? key with { Subject = subject } : null;
        AlertBook after = book;
        foreach (Alert alert in book.Active.Values.Where(a => !IsOfThePast(a.Key.Subject)))
        {
            if (New(alert.Key) is { } key && !after.Active.ContainsKey(key))
            {
                Alert renamed = alert with { Key = key, Node = alert.Node is null ? null : to, About = AboutRenamed(alert.About, from, to) };
                after = after with
                {
                    Active = after.Active.Remove(alert.Key).Add(key, renamed),
                    Clearing = Moved(after.Clearing, alert.Key, key),
                    Written = Moved(after.Written, alert.Key, key),
                    Told = Moved(after.Told, alert.Key, key),
                    Unwritten = after.Unwritten.Contains(alert.Key) ? after.Unwritten.Remove(alert.Key).Add(key) : after.Unwritten,
                };
            }
        }

        foreach (AlertKey old in book.Rising.Keys)
        {
            after = New(old) is { } key && !IsOfThePast(old.Subject) ? after with { Rising = Moved(after.Rising, old, key) } : after;
        }

        foreach ((AlertKey old, AlertShelf shelf) in book.Shelves)
        {
            if (New(old) is { } key)
            {
                var others = IsOfThePast(old.Subject) ? after.Shelves : after.Shelves.Remove(old);
                after = after with { Shelves = others.ContainsKey(key) ? others : others.Add(key, shelf) };
            }
        }

        return after;
    }

    /// <summary>The book after a node was removed: another machine of that name is not to be silent because this one was. Its alerts end by themselves.</summary>
    public static AlertBook Removed(AlertBook book, string node)
    {
        AlertKey[] gone = [.. book.Shelves.Keys.Where(k => Names(k.Subject, node))];
        return book with
        {
            Shelves = book.Shelves.RemoveRange(gone),
            Active = book.Active.SetItems(gone.Where(book.Active.ContainsKey).Select(k => KeyValuePair.Create(k, book.Active[k] with { Shelf = null }))),
        };
    }

    private static ImmutableDictionary<AlertKey, T> Moved<T>(ImmutableDictionary<AlertKey, T> all, AlertKey old, AlertKey key)
        where T : struct =>
        all.TryGetValue(old, out T its) ? all.Remove(old).SetItem(key, its) : all;

    private static Range? NameIn(string subject)
    {
        if (IsOfThePast(subject))
        {
            // Of a pair: its id, the node and the type; the id may be anything.
            int type = subject.LastIndexOf('/');
            int pair = type > 0 ? subject.LastIndexOf('/', type - 1) : -1;
            return pair < 0 || pair + 1 == type ? null : (pair + 1)..type;
        }

        if (Array.Find(Heads, head => subject.StartsWith(head, StringComparison.Ordinal)) is not { } known)
        {
            return null;
        }

        // Behind the slash is the name of a check, whatever that is; a node's name has none.
        int slash = subject.IndexOf('/', StringComparison.Ordinal);
        return known.Length..(slash < 0 ? subject.Length : slash);
    }
}
